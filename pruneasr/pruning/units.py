"""Which structures carry a gate, and how gates enter an encoder.

    unit        one gate for each ...                          acts on
    conv        output channel of a convolution                its GELU's output
    qk          query-key dimension of a head (FAHP)           the queries
    vo          value-output dimension of a head (FAHP)        the values
    head        head (the ablation "w/o FAHP" of [W23])        the values
    ffn         inner dimension of a feed-forward layer        its GELU's output
    mha_layer   attention branch                               its output
    ffn_layer   feed-forward branch                            its output

The encoder offers empty slots, and attaching puts a gate into each. Where a LayerNorm
follows gated channels it takes its statistics over the kept ones, as it will when the
others are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from pruneasr.encoder import Encoder
from pruneasr.encoder.attention import Attention
from pruneasr.encoder.feature_extractor import ChannelLayerNorm, ConvLayer
from pruneasr.encoder.layers import Block, FeedForward
from pruneasr.processes import of_first
from pruneasr.pruning.hard_concrete import HardConcrete

UNITS = ("conv", "qk", "vo", "head", "ffn", "mha_layer", "ffn_layer")
Gates = dict[tuple[str, int], HardConcrete]
# layer, owner of the slot, name of the slot, gate to put there
Slot = tuple[int, nn.Module, str, HardConcrete]


def attach_gates(encoder: Encoder, units: Iterable[str], ste: bool = True) -> None:
    """Put gates into the slots of an encoder, in place.

    Args:
        encoder: its slots must be empty.
        units: which kinds of :data:`UNITS`.
        ste: use the straight-through estimator.

    Raises:
        ValueError: if a unit is unknown, two share a slot, or gates are attached.
    """
    units = tuple(units)
    unknown = sorted(set(units) - set(UNITS))
    if unknown or not units or len(set(units)) != len(units):
        raise ValueError(f"expected distinct units out of {UNITS}; found {units}")
    if "head" in units and "vo" in units:
        raise ValueError("head and vo gate the same values; choose one of them")
    if find_gates(encoder):
        raise ValueError("the encoder has gates already; expected one without")
    for unit in units:
        make_gates = _conv_gates if unit == "conv" else _block_gates
        for layer, slot_owner, slot, gate in make_gates(encoder, unit, ste):
            setattr(slot_owner, slot, gate)
            if unit == "conv":
                _watch_channels(encoder, layer, gate)
    device = next(encoder.parameters()).device
    for gate in find_gates(encoder).values():
        gate.to(device).train(encoder.training)
    encoder.register_forward_pre_hook(_draw)


def find_gates(encoder: nn.Module) -> Gates:
    """Return the gates by unit and layer."""
    return {
        (module.unit, module.layer): module
        for module in encoder.modules()
        if isinstance(module, HardConcrete)
    }


def draw_gates(encoder: nn.Module) -> None:
    """Draw all gates; the encoder does so itself before each forward pass.

    The processes of a data-parallel training use the samples of the first, as one
    process uses one sample for its whole batch.
    """
    gates = list(find_gates(encoder).values())
    sampled = [gate for gate in gates if gate.training]
    if sampled:
        noise = [gate.noise() for gate in sampled]
        shared = of_first(torch.cat(noise)).split([len(u) for u in noise])
        for gate, u in zip(sampled, shared, strict=True):
            gate.draw(u)
    for gate in gates:
        if not gate.training:
            gate.draw()


def clamp_gates(encoder: nn.Module) -> None:
    """Bring all gates back within their limits; call after each optimiser step."""
    for gate in find_gates(encoder).values():
        gate.clamp_()


def gate_means(encoder: nn.Module) -> dict[str, Tensor]:
    """Return the mean value of the gates of each kind, for the log."""
    values: dict[str, list[Tensor]] = {}
    for (unit, _), gate in find_gates(encoder).items():
        values.setdefault(unit, []).append(gate.z.detach().float())
    return {f"gate_{unit}": torch.cat(z).mean() for unit, z in values.items()}


class KeptLayerNorm(nn.LayerNorm):
    """LayerNorm over the channels that a gate keeps; the others become 0."""

    def __init__(self, norm: nn.LayerNorm, gate: HardConcrete) -> None:
        super().__init__(list(norm.normalized_shape), eps=norm.eps)
        self.weight, self.bias = norm.weight, norm.bias
        self._gate = (gate,)  # in a tuple: the slot owns the gate, not this module

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x (..., C) over its kept channels."""
        kept = (self._gate[0].z > 0).float()
        count = kept.sum().clamp(min=1)
        x = x.float()
        mean = (x * kept).sum(-1, keepdim=True) / count
        centred = (x - mean) * kept
        variance = centred.square().sum(-1, keepdim=True) / count
        normal = centred * (variance + self.eps).rsqrt()
        return (normal * self.weight + self.bias) * kept


def _draw(encoder: nn.Module, *_: object) -> None:
    draw_gates(encoder)


def _conv_gates(encoder: Encoder, unit: str, ste: bool) -> Iterator[Slot]:
    for i, layer in enumerate(encoder.feature_extractor.layers):
        assert isinstance(layer, ConvLayer)
        size = layer.conv.out_channels
        yield i, layer, "slot", HardConcrete(unit, i, size, ste=ste, trailing_dims=1)


def _block_gates(encoder: Encoder, unit: str, ste: bool) -> Iterator[Slot]:
    for i, block in enumerate(encoder.blocks):
        assert isinstance(block, Block)
        is_attention = unit in ("qk", "vo", "head", "mha_layer")
        residual = block.attention if is_attention else block.feed_forward
        branch = residual.branch
        if unit in ("mha_layer", "ffn_layer"):
            if branch is not None:
                yield i, residual, "slot", HardConcrete(unit, i, 1, ste=ste)
        elif isinstance(branch, FeedForward):
            size = branch.up_proj.out_features
            yield i, branch, "slot", HardConcrete(unit, i, size, ste=ste)
        elif isinstance(branch, Attention):
            heads = encoder.config.blocks[i].heads
            if unit == "head":
                widths = torch.tensor([head.vo for head in heads])
                gate = HardConcrete(unit, i, len(heads), ste=ste, repeats=widths)
                yield i, branch, "vo_slot", gate
            elif unit == "vo":
                size = branch.v_proj.out_features
                yield i, branch, "vo_slot", HardConcrete(unit, i, size, ste=ste)
            elif branch.q_proj.out_features:
                size = branch.q_proj.out_features
                yield i, branch, "qk_slot", HardConcrete(unit, i, size, ste=ste)


def _watch_channels(encoder: Encoder, layer: int, gate: HardConcrete) -> None:
    """Let the LayerNorms that see these channels take statistics of the kept ones."""
    conv = encoder.feature_extractor.layers[layer]
    if isinstance(conv.norm, ChannelLayerNorm):
        conv.norm.norm = KeptLayerNorm(conv.norm.norm, gate)
    if layer == len(encoder.feature_extractor.layers) - 1:
        projection = encoder.feature_projection
        projection.norm = KeptLayerNorm(projection.norm, gate)
