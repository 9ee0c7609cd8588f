"""On a GPU as on a CPU: hidden states, gradients, removal, long audio, export."""

import copy

import pytest
import torch
from tiny import VARIANTS, random_encoder, tiny_config, waveforms

from pruneasr.encoder.long_audio import encode_long
from pruneasr.export import export_onnx, onnx_difference
from pruneasr.pruning.constraint import Constraint
from pruneasr.pruning.plan import plan_removal
from pruneasr.pruning.removal import mask, remove
from pruneasr.pruning.units import attach_gates

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
]
TOLERANCE = 1e-4  # other kernels add in another order


@pytest.fixture(autouse=True)
def float32(monkeypatch):
    """Convolutions may use TF32 unless they are told not to."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


@pytest.mark.parametrize("name", VARIANTS)
def test_hidden_states_and_gradients_are_those_of_a_cpu(name):
    encoder = random_encoder(tiny_config(**VARIANTS[name]))
    other = copy.deepcopy(encoder).cuda()
    speech, lengths = waveforms()
    states, frames = encoder(speech, lengths)
    theirs, their_frames = other(speech.cuda(), lengths)  # lengths may stay behind
    assert their_frames.tolist() == frames.tolist()
    for i, n in enumerate(frames):
        for a, b in zip(states, theirs, strict=True):
            torch.testing.assert_close(
                b[i, :n].cpu(), a[i, :n], atol=TOLERANCE, rtol=TOLERANCE
            )
    for out in (states, theirs):
        sum(h[0, : frames[0]].square().mean() for h in out).backward()
    for (key, a), b in zip(encoder.named_parameters(), other.parameters(), strict=True):
        if a.grad is not None:
            torch.testing.assert_close(
                b.grad.cpu(), a.grad, atol=TOLERANCE, rtol=1e-3, msg=key
            )


def test_what_is_left_computes_what_the_masked_one_did():
    encoder = random_encoder().cuda().eval()
    units = ["conv", "qk", "vo", "ffn", "mha_layer", "ffn_layer"]
    attach_gates(encoder, units)
    constraint = Constraint(encoder.config, units, target=0.5, warmup_steps=0)
    plan = plan_removal(encoder, constraint)
    mask(encoder, plan)
    small = remove(encoder, plan)
    speech = waveforms()[0].cuda()
    with torch.no_grad():
        pairs = zip(encoder(speech)[0], small(speech)[0], strict=True)
        for a, b in pairs:
            torch.testing.assert_close(a, b, atol=TOLERANCE, rtol=TOLERANCE)


def test_long_audio():
    encoder = random_encoder().cuda().eval()
    speech = torch.randn(48000, device="cuda")
    with torch.no_grad():
        whole = encoder(speech[None])[0][-1][0]
        parts = [states[-1] for states in encode_long(encoder, speech, chunk_sec=10)]
    torch.testing.assert_close(torch.cat(parts), whole, atol=TOLERANCE, rtol=TOLERANCE)


def test_export(tmp_path):
    pytest.importorskip("onnxruntime", reason="needs pip install pruneasr[export]")
    encoder = random_encoder().cuda()
    export_onnx(encoder, tmp_path / "encoder.onnx")
    assert onnx_difference(encoder, tmp_path / "encoder.onnx") < TOLERANCE
