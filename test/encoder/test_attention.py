"""Heads that run one by one give what heads in groups give."""

import pytest
import torch
from tiny import random_encoder, tiny_config

from pruneasr.bench.shapes import Shape, draw_config
from pruneasr.encoder import attention
from pruneasr.encoder.attention import Attention


@pytest.fixture
def calls(monkeypatch):
    """Which way the attentions went."""
    taken = []
    for name in ("_in_groups", "_head_by_head"):
        way = getattr(Attention, name)

        def record(*args, name=name, way=way):
            taken.append(name)
            return way(*args)

        monkeypatch.setattr(Attention, name, record)
    return taken


def uneven_encoder():
    shape = Shape(0.4, heads_gone=0.2)
    return random_encoder(draw_config(shape, dense=tiny_config())).eval()


@pytest.mark.parametrize("scores", [1, 50, 2**18])
def test_one_by_one_equals_in_groups(scores, calls, monkeypatch):
    monkeypatch.setattr(attention, "SCORES_AT_ONCE", scores)
    encoder = uneven_encoder()
    waveforms, lengths = torch.randn(2, 8000), torch.tensor([8000, 5000])
    expected, frames = encoder(waveforms, lengths)
    assert set(calls) == {"_in_groups"}
    with torch.no_grad():
        found, _ = encoder(waveforms, lengths)
    assert calls[-1] == "_head_by_head"
    for x, y in zip(expected, found, strict=True):
        for i, n in enumerate(frames):
            torch.testing.assert_close(x[i, :n], y[i, :n], atol=1e-5, rtol=0)


def test_scores_are_not_rounded_by_autocast(calls):
    encoder = uneven_encoder()
    waveforms, lengths = torch.randn(1, 8000), torch.tensor([8000])
    with torch.no_grad():
        exact = encoder(waveforms, lengths)[0][-1]
        with torch.autocast("cpu", torch.bfloat16):
            found = encoder(waveforms, lengths)[0][-1]
    with torch.autocast("cpu", torch.bfloat16):
        grouped = encoder(waveforms, lengths)[0][-1]
    assert set(calls) == {"_head_by_head", "_in_groups"}
    assert (found - exact).norm() < 1.1 * (grouped - exact).norm()


def test_dropout_of_scores_and_gradients_need_groups(calls):
    encoder = uneven_encoder().train()
    for module in encoder.modules():
        if isinstance(module, Attention):
            module.dropout = 0.5
    with torch.no_grad():
        encoder(torch.randn(1, 4000), torch.tensor([4000]))
    assert set(calls) == {"_in_groups"}


@pytest.mark.parametrize("part", ["q_proj", "k_proj", "v_proj", "relative_gate"])
def test_a_part_of_an_attention_learns_alone(part, calls):
    encoder = uneven_encoder().requires_grad_(False)
    learning = [p for n, p in encoder.named_parameters() if f".{part}." in n]
    for parameter in learning:
        parameter.requires_grad_(True)
    encoder(torch.randn(1, 4000))[0][-1].square().sum().backward()
    assert any(parameter.grad.abs().sum() > 0 for parameter in learning)
    assert "_in_groups" in calls


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("on_cpu", [True, False])
def test_heads_attend_as_the_formula_says(biased, padded, on_cpu, monkeypatch):
    """With a bias that is trained, on a CPU, by plain products; else by torch's."""
    monkeypatch.setattr(attention, "is_eager_on_cpu", lambda _: on_cpu)

    def formula(q, k, v, factor, bias, padding):
        scores = 0.3 * torch.einsum("bhik,bhjk->bhij", q, k)
        scores = scores if factor is None else scores + factor * bias
        scores = scores if padding is None else scores + padding
        weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
        return torch.einsum("bhij,bhjk->bhik", weights, v)

    def product(*inputs):
        return attention._attend_group(*inputs, scale=0.3, rate=0.0)

    def attend(way):
        torch.manual_seed(0)
        q, k, v = (torch.randn(2, 3, 7, 4, requires_grad=True) for _ in range(3))
        factor = torch.rand(2, 3, 7, 1, requires_grad=True) if biased else None
        bias = torch.randn(3, 7, 7, requires_grad=True) if biased else None
        padding = torch.zeros(2, 1, 1, 7)
        padding[1, ..., 5:] = float("-inf")
        output = way(q, k, v, factor, bias, padding if padded else None)
        output.square().sum().backward()
        inputs = [q, k, v, *([factor, bias] if biased else [])]
        return [output, *(x.grad for x in inputs)]

    for expected, found in zip(attend(formula), attend(product), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
