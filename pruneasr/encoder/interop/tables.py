"""One table of names per library, read in both directions, with nothing left over.

A library's checkpoint differs from ours in three ways: what its modules are called, how
a few tensors are laid out (weight norm, packed projections), and what it holds beyond
the encoder. A :class:`Format` states all three as data. Reading uses every tensor of
the source exactly once: it lands in the encoder, or it is named as not converted, or
the conversion stops. This file knows no library; each has a file of its own beside it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pruneasr.encoder.checkpoint import load_strictly
from pruneasr.encoder.config import EncoderConfig
from pruneasr.encoder.model import Encoder

Tensors = dict[str, Tensor]
Converter = Callable[[Tensors], Tensors]


@dataclasses.dataclass(frozen=True)
class Imported:
    """An encoder made from somebody else's checkpoint.

    Attributes:
        encoder: ours, float32, in evaluation mode.
        not_converted: names in the source that have no place in an encoder (heads of
            fine-tuned models, quantizer, mask embedding ...), sorted.
        provenance: JSON facts for :func:`~pruneasr.encoder.checkpoint.save_encoder`.
    """

    encoder: Encoder
    not_converted: tuple[str, ...]
    provenance: dict[str, Any]


class Layout(NamedTuple):
    """A change of layout: tensors under the source's names, in and out."""

    to_ours: Converter
    to_theirs: Converter


@dataclasses.dataclass(frozen=True)
class Format:
    """How a library stores an encoder of one architecture.

    Attributes:
        names: our module (or parameter) to theirs; ``{}`` stands for the one number in
            the name, and a target without ``{}`` drops it.
        layouts: changes of layout, first to last when reading.
        ignored: regular expressions of whole names that an encoder has no use for.
    """

    names: Mapping[str, str]
    layouts: tuple[Layout, ...]
    ignored: tuple[str, ...]

    def to_ours(
        self, tensors: Mapping[str, Any], wanted: Iterable[str], source: str
    ) -> tuple[Tensors, list[str]]:
        """Return the wanted tensors under our names, and the names of the ignored ones.

        Raises:
            ValueError: if a wanted tensor is missing or an unknown one is there.
        """
        unused = dict(tensors)
        for layout in self.layouts:
            unused = layout.to_ours(unused)
        ours, missing = {}, []
        for name in wanted:
            theirs = self.translate(name)
            if theirs in unused:
                ours[name] = unused.pop(theirs)
            else:
                missing.append(theirs)
        unknown = sorted(
            name
            for name in unused
            if not any(re.fullmatch(pattern, name) for pattern in self.ignored)
        )
        if missing or unknown:
            raise ValueError(
                f"{source}: the tensors do not fit the architecture that its config "
                f"describes. Missing: {missing}. Unknown: {unknown}"
            )
        return ours, sorted(unused)

    def to_theirs(self, tensors: Mapping[str, Tensor]) -> Tensors:
        """Return an encoder's tensors under the library's names, in its layout."""
        theirs = {self.translate(name): tensor for name, tensor in tensors.items()}
        for layout in reversed(self.layouts):
            theirs = layout.to_theirs(theirs)
        return theirs

    def translate(self, name: str) -> str:
        """Return their name of our tensor."""
        number = re.search(r"\.(\d+)\.", name)
        pattern = re.sub(r"\.\d+\.", ".{}.", name)
        module, leaf = pattern.rsplit(".", 1)
        theirs = self.names.get(pattern) or f"{self.names[module]}.{leaf}"
        return theirs.format(number[1]) if number else theirs


def build(
    config: EncoderConfig,
    form: Format,
    tensors: Mapping[str, Any],
    provenance: Mapping[str, Any],
    outside: Iterable[str] = (),
) -> Imported:
    """Make the encoder that a source describes.

    Args:
        config: its architecture.
        form: how the source stores it.
        tensors: the source's tensors, by its names.
        provenance: where they come from; ``source`` names them in messages.
        outside: names already set aside as not belonging to the encoder.

    Raises:
        ValueError: if the tensors are not exactly those of the architecture.
    """
    encoder = Encoder(config)
    source = str(provenance["source"])
    ours, ignored = form.to_ours(tensors, encoder.state_dict(), source)
    load_strictly(encoder, ours, source)
    not_converted = tuple(sorted({*ignored, *outside}))
    return Imported(encoder.eval(), not_converted, dict(provenance))


def transformer_names(projection: str, transformer: str) -> dict[str, str]:
    """Return the names that Hugging Face and torchaudio share but for two prefixes.

    Args:
        projection: where the feature projection is.
        transformer: where the Transformer is.
    """
    block = f"{transformer}.layers.{{}}"
    return {
        "feature_extractor.layers.{}.conv": "feature_extractor.conv_layers.{}.conv",
        "feature_extractor.layers.{}.norm": (
            "feature_extractor.conv_layers.{}.layer_norm"
        ),
        "feature_extractor.layers.{}.norm.norm": (
            "feature_extractor.conv_layers.{}.layer_norm"
        ),
        "feature_projection.norm": f"{projection}.layer_norm",
        "feature_projection.projection": f"{projection}.projection",
        "positional_conv.convs.{}": f"{transformer}.pos_conv_embed.conv",
        "norm": f"{transformer}.layer_norm",
        "relative_bias.embedding": f"{transformer}.layers.0.attention.rel_attn_embed",
        "blocks.{}.attention.norm": f"{block}.layer_norm",
        "blocks.{}.attention.branch.q_proj": f"{block}.attention.q_proj",
        "blocks.{}.attention.branch.k_proj": f"{block}.attention.k_proj",
        "blocks.{}.attention.branch.v_proj": f"{block}.attention.v_proj",
        "blocks.{}.attention.branch.out_proj": f"{block}.attention.out_proj",
        "blocks.{}.attention.branch.relative_gate.linear": (
            f"{block}.attention.gru_rel_pos_linear"
        ),
        "blocks.{}.attention.branch.relative_gate.constant": (
            f"{block}.attention.gru_rel_pos_const"
        ),
        "blocks.{}.feed_forward.norm": f"{block}.final_layer_norm",
        "blocks.{}.feed_forward.branch.up_proj": (
            f"{block}.feed_forward.intermediate_dense"
        ),
        "blocks.{}.feed_forward.branch.down_proj": f"{block}.feed_forward.output_dense",
    }


def weight_norm(module: str) -> Layout:
    """Layout of a positional convolution kept as magnitude g and direction v.

    ``weight = g v / |v|``, the norm being taken for each kernel position (Salimans and
    Kingma 2016, equation 2, as wav2vec 2.0 applies it). torch has had two pairs of
    names for g and v; both are read, the older, which all published files use, is
    written. The inverse is g = |weight|, v = weight. A source without weight norm
    passes.
    """
    plain = f"{module}.weight"
    old = (f"{module}.weight_g", f"{module}.weight_v")
    new = tuple(f"{module}.parametrizations.weight.original{i}" for i in (0, 1))

    def fold(tensors: Tensors) -> Tensors:
        for magnitude, direction in (old, new):
            if magnitude in tensors and direction in tensors:
                g = tensors.pop(magnitude).float()
                v = tensors.pop(direction).float()
                if v.dim() != 3 or g.shape != (1, 1, v.size(2)):
                    raise ValueError(
                        f"{magnitude}: expected the shape (1, 1, kernel) beside "
                        f"{direction} (out, in, kernel); found {tuple(g.shape)} and "
                        f"{tuple(v.shape)}"
                    )
                tensors[plain] = g * v / _kernel_norm(v)
        return tensors

    def unfold(tensors: Tensors) -> Tensors:
        weight = tensors.pop(plain)
        return {**tensors, old[0]: _kernel_norm(weight), old[1]: weight}

    return Layout(fold, unfold)


def check_options(
    what: str, values: Mapping[str, Any], defaults: Mapping[str, Any]
) -> None:
    """Refuse options of another type than their defaults.

    Raises:
        ValueError: naming ``what``, the option and both types.
    """
    same = {float: (int, float), list: (list, tuple)}
    for name, default in defaults.items():
        kind, value = type(default), values.get(name, default)
        if type(value) not in same.get(kind, (kind,)):
            raise ValueError(
                f"{what}: {name} must be of type {kind.__name__}; found {value!r}"
            )


def gate_constants(suffix: str) -> Layout:
    """Layout of WavLM's gate constants: published as (1, H, 1, 1), ours are (H,)."""

    def flatten(tensors: Tensors) -> Tensors:
        return {
            name: tensor.flatten() if name.endswith(suffix) else tensor
            for name, tensor in tensors.items()
        }

    def unflatten(tensors: Tensors) -> Tensors:
        return {
            name: tensor.view(1, -1, 1, 1) if name.endswith(suffix) else tensor
            for name, tensor in tensors.items()
        }

    return Layout(flatten, unflatten)


def strip_prefix(
    tensors: Mapping[str, Any], prefix: str
) -> tuple[dict[str, Any], list[str]]:
    """Split a fine-tuned model into its encoder, prefix removed, and all other names.

    A model without heads has no prefix and is returned as it is.
    """
    inside = {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
    if not inside:
        return dict(tensors), []
    return inside, [name for name in tensors if not name.startswith(prefix)]


def _kernel_norm(weight: Tensor) -> Tensor:
    """Norm (1, 1, K) over the channels of a convolution's weight (out, in, K)."""
    norm: Tensor = torch.linalg.vector_norm(weight, dim=(0, 1), keepdim=True)
    return norm
