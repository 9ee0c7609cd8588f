"""torchaudio's bundles; the download is torchaudio's and is replaced here."""

import pytest
import torch
from reference_models import difference, torchaudio, torchaudio_module
from torchaudio import pipelines

from pruneasr.encoder.interop import import_encoder
from pruneasr.encoder.interop.torchaudio import import_torchaudio, is_bundle_name


class Bundle:
    """Gives a tiny model in place of a download."""

    def __init__(self, model):
        self.model = model

    def get_model(self):
        return self.model


@pytest.mark.parametrize(
    ("name", "family", "size"),
    [
        ("WAVLM_LARGE", "wavlm", "large"),
        ("HUBERT_ASR_LARGE", "hubert", "large"),
        ("VOXPOPULI_ASR_BASE_10K_EN", "wav2vec2", "base"),
    ],
)
def test_bundle_by_name(name, family, size, monkeypatch):
    reference = torchaudio(family, size)
    monkeypatch.setattr(pipelines, name, Bundle(reference.module))
    imported = import_encoder(name)
    assert imported.encoder.config.family == family
    assert imported.encoder.config.normalize_waveform == (size == "large")
    assert difference(imported.encoder, reference, padded=False) <= 1e-5
    assert imported.not_converted == ("aux.bias", "aux.weight")
    assert imported.provenance["source"] == name


def test_every_bundle_of_the_families_is_recognised():
    kinds = (pipelines.Wav2Vec2Bundle, pipelines.Wav2Vec2FABundle)
    for name in pipelines.__all__:
        assert is_bundle_name(name) == isinstance(getattr(pipelines, name), kinds)


def test_unknown_bundle():
    with pytest.raises(ValueError, match="WAVLM_BASE_PLUS"):
        import_encoder("WAVLM_HUGE")


def test_wrong_family():
    with pytest.raises(ValueError, match=r"Unknown: .*rel_attn_embed"):
        import_torchaudio(torchaudio_module("wavlm", "base"), "wav2vec2", "memory")


def test_digest_follows_the_values():
    model = torchaudio_module("hubert", "base")

    def digest():
        provenance = import_torchaudio(model, "hubert", "memory").provenance
        return provenance["sha256"]["state_dict"]

    before = digest()
    assert before == digest()
    with torch.no_grad():
        model.encoder.transformer.layer_norm.bias[0] += 1
    assert before != digest()
