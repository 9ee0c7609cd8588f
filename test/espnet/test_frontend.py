"""What the frontend computes, trains and refuses."""

import copy

import pytest
import torch
from espnet2.asr.encoder.conformer_encoder import TooShortUttError
from tiny import tiny_config

from pruneasr.encoder import load_encoder
from pruneasr.espnet.frontend import PrunedSSLFrontend


def without_grad(module):
    return [n for n, p in module.named_parameters() if p.grad is None]


def test_starts_with_the_mean_of_the_hidden_states(frontend, batch):
    front = frontend()
    hidden_states, lengths = front.upstream(*batch)
    feats, feats_lengths = front(*batch)
    expected = torch.stack(hidden_states).mean(0)
    assert feats_lengths.tolist() == lengths.tolist()
    for i, n in enumerate(lengths):
        torch.testing.assert_close(feats[i, :n], expected[i, :n])


def test_mixture_follows_the_learned_weights(frontend, batch):
    front = frontend()
    with torch.no_grad():
        front.featurizer.weights[1] = 50.0
    hidden_states, _ = front.upstream(*batch)
    torch.testing.assert_close(front(*batch)[0][0], hidden_states[1][0])


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("layer", [0, 1, 2, 3, -1])
def test_one_layer_equals_that_of_the_whole_encoder(frontend, batch, layer, norm_first):
    front = frontend({"norm_first": norm_first}, multilayer_feature=False, layer=layer)
    hidden_states, lengths = load_encoder(front.ckpt)(*batch)
    feats, _ = front(*batch)
    for i, n in enumerate(lengths):
        torch.testing.assert_close(feats[i, :n], hidden_states[layer][i, :n])
    assert len(front.upstream.blocks) == (3 if layer == -1 else layer)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"multilayer_feature": False},
        {"multilayer_feature": False, "layer": 0},
        {"multilayer_feature": False, "layer": 1},
    ],
)
def test_every_parameter_is_used(frontend, batch, options, norm_first):
    front = frontend({"norm_first": norm_first}, **options)
    front(*batch)[0].square().sum().backward()
    assert without_grad(front) == []


@pytest.mark.parametrize("samples", [400, 719, 720, 721, 3001, 16000])
def test_length_is_that_of_the_convolutions(frontend, samples):
    front = frontend()
    feats, lengths = front(torch.randn(1, samples), torch.tensor([samples]))
    assert lengths.tolist() == [(samples - 400) // 320 + 1]
    assert feats.shape == (1, lengths[0], front.output_size())


def test_padding_beyond_the_longest_is_cut_off(frontend, batch):
    waveforms, lengths = batch
    front = frontend()
    padded = torch.nn.functional.pad(waveforms, (0, 5000), value=1.0)
    feats, feats_lengths = front(padded, lengths)
    assert feats.size(1) == feats_lengths.max()
    torch.testing.assert_close(feats, front(waveforms, lengths)[0])


def test_padded_batch_equals_one_by_one_and_is_zero_beyond(frontend, batch):
    waveforms, lengths = batch
    front = frontend()
    feats, feats_lengths = front(waveforms, lengths)
    alone, _ = front(waveforms[1:, : lengths[1]], lengths[1:])
    torch.testing.assert_close(feats[1, : feats_lengths[1]], alone[0])
    assert not feats[1, feats_lengths[1] :].any()


def test_tile_factor_repeats_frames(frontend, batch):
    front = frontend(tile_factor=3)
    feats, lengths = front(*batch)
    front.tile_factor = 1
    plain, plain_lengths = front(*batch)
    assert lengths.tolist() == (3 * plain_lengths).tolist()
    for i in range(3):
        torch.testing.assert_close(feats[:, i::3], plain)


def test_hop_and_type_for_other_tasks(frontend):
    front = frontend()
    assert (front.hop_length, front.frontend_type) == (320, "pruned_ssl")


def test_autocast_computes_in_bfloat16_and_returns_float32(frontend, batch):
    front = frontend(autocast="bfloat16")
    seen = []
    front.upstream.blocks[0].feed_forward.branch.up_proj.register_forward_hook(
        lambda _module, _inputs, output: seen.append(output.dtype)
    )
    with torch.autocast("cpu", enabled=False):  # what ESPnet's SLU and ST tasks do
        feats, _ = front(*batch)
    assert seen == [torch.bfloat16]
    assert feats.dtype == torch.float32
    front.autocast = None
    torch.testing.assert_close(feats, front(*batch)[0], atol=0.1, rtol=0.1)


def test_dropout_is_for_training_only_and_no_part_of_the_architecture(frontend, batch):
    front = frontend(dropout=0.5)
    assert front.arch.dropout == 0.0
    a, b = front.train()(*batch)[0], front(*batch)[0]
    assert not torch.equal(a, b)
    front.eval()
    torch.testing.assert_close(front(*batch)[0], frontend().eval()(*batch)[0])


def test_freeze_is_eval_mode_without_gradient(frontend, batch):
    front = frontend({"dropout": 0.5}, freeze=True).train()
    assert not any(module.training for module in front.upstream.modules())
    first, second = front(*batch)[0], front(*batch)[0]
    torch.testing.assert_close(first, second)
    first.sum().backward()
    assert all(p.grad is None for p in front.upstream.parameters())
    assert front.featurizer.weights.grad is not None


def test_freeze_cnn_trains_the_rest(frontend, batch):
    front = frontend(freeze_cnn=True)
    front(*batch)[0].square().sum().backward()
    frozen = without_grad(front)
    assert len(frozen) == len(list(front.upstream.feature_extractor.parameters()))
    assert all(name.startswith("upstream.feature_extractor.") for name in frozen)


def test_freeze_steps_count_training_batches_and_survive_a_restart(frontend, batch):
    front = frontend({"dropout": 0.5}, freeze_steps=2).train()
    front(*batch)
    assert not front.upstream.training
    front.eval()(*batch)  # does not count
    resumed = frontend({"dropout": 0.5}, freeze_steps=2).train()
    resumed.load_state_dict(front.state_dict())
    resumed(*batch)[0].sum().backward()
    assert all(p.grad is None for p in resumed.upstream.parameters())
    resumed(*batch)[0].square().sum().backward()
    assert without_grad(resumed) == []
    assert resumed.upstream.training


def test_a_frozen_encoder_passes_the_gradient_on_to_an_enhancer(frontend, batch):
    waveforms = batch[0].requires_grad_()
    frontend(freeze=True)(waveforms, batch[1])[0].square().sum().backward()
    assert waveforms.grad.abs().sum() > 0


def test_arch_is_filled_in_place_and_rebuilds_without_the_file(frontend, batch):
    arch = {}
    front = frontend(arch=arch)
    again = PrunedSSLFrontend(ckpt="/nowhere", arch=copy.deepcopy(arch))
    again.load_state_dict(front.state_dict())
    torch.testing.assert_close(again(*batch)[0], front(*batch)[0])


def test_arch_alone_trains_from_scratch(batch):
    front = PrunedSSLFrontend(arch=tiny_config().to_dict())
    front(*batch)[0].square().sum().backward()
    assert without_grad(front) == []


def test_never_runs_on_weights_from_nowhere(batch):
    front = PrunedSSLFrontend(ckpt="/nowhere", arch=tiny_config().to_dict())
    with pytest.raises(ValueError, match="random weights"):
        front(*batch)


def test_never_runs_on_weights_of_another_architecture(batch, encoder_dir):
    arch = tiny_config(ffn=24).to_dict()
    front = PrunedSSLFrontend(ckpt=encoder_dir(), arch=arch)
    with pytest.raises(ValueError, match="another architecture"):
        front(*batch)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fs": "8k"}, "fs=8k"),
        ({"fs": 8000}, "fs=8000"),
        ({"arch": None}, "arch: {}"),
        ({"ckpt": None}, "give `ckpt`"),
        ({"ckpt": "/nowhere"}, "/nowhere"),
        ({"arch": {"dim": 16}}, "missing"),
        ({"layer": 1}, "multilayer_feature: false"),
        ({"layer": 4, "multilayer_feature": False}, r"0\.\.3"),
        ({"layer": -2, "multilayer_feature": False}, r"0\.\.3"),
        ({"tile_factor": 0}, "tile_factor"),
        ({"autocast": "float16"}, "bfloat16"),
        ({"freeze_steps": -1}, "freeze_steps"),
        ({"freeze_steps": 5, "freeze": True}, "freeze_steps"),
    ],
)
def test_bad_options_are_refused(frontend, options, message):
    with pytest.raises(ValueError, match=message):
        frontend(**options)


def test_unknown_option_is_refused(frontend):
    with pytest.raises(TypeError, match="upstream"):
        frontend(upstream="wavlm_large")


@pytest.mark.parametrize("lengths", [[0, 0], [4000, 0], [4000, 399]])
@pytest.mark.parametrize("kind", [ValueError, TooShortUttError])
def test_too_short_audio_is_refused(frontend, batch, lengths, kind):
    """ESPnet's decoders catch the second kind, log it and go on."""
    front = frontend()
    with pytest.raises(kind, match="at least 400 samples") as caught:
        front(batch[0], torch.tensor(lengths))
    assert str(lengths) in str(caught.value)
    assert (caught.value.actual_size, caught.value.limit) == (min(lengths), 400)


def test_stereo_is_refused(frontend, batch):
    with pytest.raises(ValueError, match="mono"):
        frontend()(batch[0][..., None].repeat(1, 1, 2), batch[1])


def test_a_hub_id_needs_its_directory(frontend):
    with pytest.raises(ValueError, match="download_dir"):
        frontend(ckpt="someone/encoder")


def test_a_hub_id_is_looked_up_below_download_dir(tmp_path, frontend, monkeypatch):
    called = []

    def snapshot_download(repo_id, cache_dir, local_files_only, allow_patterns):
        called.append((repo_id, cache_dir, local_files_only))
        assert allow_patterns == ["config.json", "model.safetensors"]
        raise FileNotFoundError("offline")

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    with pytest.raises(ValueError, match="someone/encoder"):
        frontend(ckpt="someone/encoder", download_dir=str(tmp_path))
    assert called == [("someone/encoder", str(tmp_path), False)]


def test_a_replica_without_parameters_is_not_trained(frontend, batch):
    """DataParallel of torch, whose replicas would count as frozen."""
    replica = frontend().train()._replicate_for_data_parallel()
    with pytest.raises(ValueError, match="--multiprocessing_distributed true"):
        replica(*batch)
