"""Autocast is what it says, and warns once where it is slow."""

import pytest
import torch

from pruneasr import precision

X86 = {"architecture": "x86_64", "avx512_bf16": False, "amx_bf16": False}


@pytest.fixture
def cpu(monkeypatch):
    """Return a function that gives the CPU other capabilities."""
    precision.warn_if_slow.cache_clear()
    yield lambda **changes: monkeypatch.setattr(
        torch.cpu, "get_capabilities", lambda: {**X86, **changes}
    )
    precision.warn_if_slow.cache_clear()


def test_computes_in_the_type_or_leaves_that_of_the_task():
    a = torch.ones(2, 2)
    with precision.autocast("cpu", "bfloat16"):
        assert (a @ a).dtype == torch.bfloat16
        with precision.autocast("cpu", None):
            assert (a @ a).dtype == torch.bfloat16
    with precision.autocast("cpu", None):
        assert (a @ a).dtype == torch.float32


def test_a_cpu_without_bfloat16_is_named_once(cpu, caplog):
    cpu()
    for _ in range(3):
        with precision.autocast("cpu", "bfloat16"):
            pass
    (record,) = caplog.records
    assert "this cpu has no bfloat16 instructions" in record.message
    assert "--autocast none" in record.message


def test_without_its_instructions_bfloat16_is_for_training_only(cpu):
    cpu()
    a = torch.ones(2, 2)
    with torch.no_grad(), precision.autocast("cpu", "bfloat16"):
        assert (a @ a).dtype == torch.float32
    cpu(avx512_bf16=True)
    with torch.no_grad(), precision.autocast("cpu", "bfloat16"):
        assert (a @ a).dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("changes", "dtype"),
    [
        ({"avx512_bf16": True}, "bfloat16"),
        ({"amx_bf16": True}, "bfloat16"),
        ({"architecture": "aarch64"}, "bfloat16"),
        ({}, None),
    ],
)
def test_no_word_otherwise(cpu, caplog, changes, dtype):
    cpu(**changes)
    with precision.autocast("cpu", dtype):
        pass
    assert not caplog.records
