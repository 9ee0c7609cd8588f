"""From gates to a smaller encoder that computes the same function.

Kept units have values below 1, which are folded into the weights that follow:

    qk          rows of W_Q, b_Q (the same rows of W_K, b_K are only selected)
    vo, head    columns of W_O (the rows of W_V, b_V are only selected)
    ffn         columns of W_D
    mha_layer   W_O, b_O;   ffn_layer: W_D, b_D
    conv        inputs of the next convolution; after the last one a LayerNorm follows,
                so its values stay as a scale of the channels

A branch of width zero keeps its output bias. The masked encoder in evaluation mode and
the removed one agree to rounding; ``test/pruning/test_removal.py`` holds that.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pruneasr.encoder import BlockConfig, Encoder
from pruneasr.encoder.attention import Attention
from pruneasr.encoder.checkpoint import load_strictly
from pruneasr.encoder.feature_extractor import ConvLayer
from pruneasr.encoder.layers import Block, FeedForward, OutputBias, Residual
from pruneasr.pruning.planned import Plan, kept_queries, kept_values, planned_config
from pruneasr.pruning.units import Gates, draw_gates, find_gates

Tensors = dict[str, Tensor]


def mask(encoder: Encoder, plan: Plan) -> None:
    """Make the gates of an encoder follow a plan in evaluation mode, in place."""
    for key, gate in find_gates(encoder).items():
        gate.kept = plan[key].to(gate.log_alpha.device)
    draw_gates(encoder)


@torch.no_grad()
def remove(encoder: Encoder, plan: Plan) -> Encoder:
    """Return the encoder that is left when a plan is carried out.

    Args:
        encoder: with gates; not changed.
        plan: kept units of every gate.

    Returns:
        A new encoder without gates, on the CPU, in evaluation mode.
    """
    gates = find_gates(encoder)
    config = planned_config(encoder.config, plan)
    tensors = _feature_extractor(encoder, gates, plan)
    for i, (block, config_block) in enumerate(
        zip(encoder.blocks, encoder.config.blocks, strict=True)
    ):
        assert isinstance(block, Block)
        attention = config.blocks[i].attention
        feed_forward = config.blocks[i].feed_forward
        prefix = f"blocks.{i}"
        if attention:
            tensors |= _attention(
                f"{prefix}.attention.branch",
                block.attention,
                config_block,
                i,
                gates,
                plan,
            )
        if feed_forward:
            tensors |= _feed_forward(
                f"{prefix}.feed_forward.branch", block.feed_forward, i, gates, plan
            )
        for name, kept in (("attention", attention), ("feed_forward", feed_forward)):
            if kept or not config.norm_first:
                norm = getattr(block, name).norm
                tensors |= _all(f"{prefix}.{name}.norm", norm)
    tensors |= _all("positional_conv", encoder.positional_conv)
    tensors |= _all("norm", encoder.norm)
    if any(block.heads for block in config.blocks) and encoder.relative_bias:
        tensors |= _all("relative_bias", encoder.relative_bias)
    removed = Encoder(config)
    load_strictly(removed, {k: v.cpu() for k, v in tensors.items()}, "removal")
    return removed.eval()


def _all(prefix: str, module: nn.Module) -> Tensors:
    return {f"{prefix}.{name}": value for name, value in module.state_dict().items()}


def _kept_and_value(
    gates: Gates, plan: Plan, unit: str, layer: int, size: int, like: Tensor
) -> tuple[Tensor, Tensor]:
    """Return indices of the kept units of a gate and their values; no gate: all, 1."""
    if (unit, layer) not in gates:
        return torch.arange(size, device=like.device), like.new_ones(size)
    kept = plan[unit, layer].to(like.device).nonzero().flatten()
    return kept, gates[unit, layer].value()[kept]


def _feature_extractor(encoder: Encoder, gates: Gates, plan: Plan) -> Tensors:
    """Convolutions and feature projection."""
    extractor, projection = encoder.feature_extractor, encoder.feature_projection
    tensors: Tensors = {}
    kept_in = torch.tensor([0], device=projection.norm.weight.device)
    value_in = projection.norm.weight.new_ones(1)
    for i, layer in enumerate(extractor.layers):
        assert isinstance(layer, ConvLayer)
        weight = layer.conv.weight
        kept, value = _kept_and_value(gates, plan, "conv", i, len(weight), weight)
        prefix = f"feature_extractor.layers.{i}"
        weight = weight[kept][:, kept_in] * value_in[None, :, None]
        tensors[f"{prefix}.conv.weight"] = weight
        if layer.conv.bias is not None:
            tensors[f"{prefix}.conv.bias"] = layer.conv.bias[kept]
        if layer.norm is not None:
            for name, tensor in layer.norm.state_dict().items():
                tensors[f"{prefix}.norm.{name}"] = tensor[kept]
        kept_in, value_in = kept, value
    if extractor.channel_scale is not None:
        value_in = value_in * extractor.channel_scale[kept_in]
    if extractor.channel_scale is not None or ("conv", 0) in gates:
        tensors["feature_extractor.channel_scale"] = value_in
    tensors["feature_projection.norm.weight"] = projection.norm.weight[kept_in]
    tensors["feature_projection.norm.bias"] = projection.norm.bias[kept_in]
    linear = projection.projection
    tensors["feature_projection.projection.weight"] = linear.weight[:, kept_in]
    tensors["feature_projection.projection.bias"] = linear.bias
    return tensors


def _attention(
    prefix: str,
    residual: Residual,
    block: BlockConfig,
    i: int,
    gates: Gates,
    plan: Plan,
) -> Tensors:
    """An attention branch that is kept, with or without heads."""
    branch = residual.branch
    scale = gates["mha_layer", i].value() if ("mha_layer", i) in gates else 1.0
    if isinstance(branch, OutputBias):
        return {f"{prefix}.bias": branch.bias * scale}
    assert isinstance(branch, Attention)
    device = branch.out_proj.weight.device
    values = kept_values(block, i, plan).to(device)
    if not values.any():
        return {f"{prefix}.bias": branch.out_proj.bias * scale}
    queries = kept_queries(block, i, plan).to(device)
    z_qk = branch.q_proj.bias.new_ones(len(queries))
    z_vo = branch.v_proj.bias.new_ones(len(values))
    if ("qk", i) in gates:
        z_qk = gates["qk", i].value()
    for unit in ("vo", "head"):
        if (unit, i) in gates:
            z_vo = gates[unit, i].expand(gates[unit, i].value())
    z_qk, z_vo = z_qk[queries], z_vo[values]
    tensors = {
        "q_proj.weight": branch.q_proj.weight[queries] * z_qk[:, None],
        "q_proj.bias": branch.q_proj.bias[queries] * z_qk,
        "k_proj.weight": branch.k_proj.weight[queries],
        "k_proj.bias": branch.k_proj.bias[queries],
        "v_proj.weight": branch.v_proj.weight[values],
        "v_proj.bias": branch.v_proj.bias[values],
        "out_proj.weight": branch.out_proj.weight[:, values] * z_vo * scale,
        "out_proj.bias": branch.out_proj.bias * scale,
    }
    gate = branch.relative_gate
    if gate is not None:
        lives = [bool(part.any()) for part in values.split([h.vo for h in block.heads])]
        tensors["relative_gate.linear.weight"] = gate.linear.weight
        tensors["relative_gate.linear.bias"] = gate.linear.bias
        tensors["relative_gate.constant"] = gate.constant[torch.tensor(lives)]
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def _feed_forward(
    prefix: str, residual: Residual, i: int, gates: Gates, plan: Plan
) -> Tensors:
    """A feed-forward branch that is kept, of any width."""
    branch = residual.branch
    scale = gates["ffn_layer", i].value() if ("ffn_layer", i) in gates else 1.0
    if isinstance(branch, OutputBias):
        return {f"{prefix}.bias": branch.bias * scale}
    assert isinstance(branch, FeedForward)
    up, down = branch.up_proj, branch.down_proj
    kept, value = _kept_and_value(gates, plan, "ffn", i, up.out_features, up.weight)
    if not len(kept):
        return {f"{prefix}.bias": down.bias * scale}
    return {
        f"{prefix}.up_proj.weight": up.weight[kept],
        f"{prefix}.up_proj.bias": up.bias[kept],
        f"{prefix}.down_proj.weight": down.weight[:, kept] * value * scale,
        f"{prefix}.down_proj.bias": down.bias * scale,
    }
