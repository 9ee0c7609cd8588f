"""Random models of transformers and torchaudio, and how ours compares with them.

Every parameter is random, those that start at one or zero too, so that a swapped or
skipped tensor shows. The models are tiny unless asked for in the published shape.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import torch
import transformers
from torch import Tensor, nn
from torch.nn import functional as F
from torchaudio.models import wav2vec2_model, wavlm_model
from torchaudio.pipelines._wav2vec2.utils import _extend_model

from pruneasr.encoder import Encoder
from pruneasr.encoder.interop.fairseq import fairseq_format

CLASSES = {
    "wavlm": transformers.WavLMConfig,
    "hubert": transformers.HubertConfig,
    "wav2vec2": transformers.Wav2Vec2Config,
    "data2vec": transformers.Data2VecAudioConfig,
}
FAMILIES = tuple(CLASSES)
for _config in CLASSES.values():  # transformers imports when first asked: not in a test
    getattr(transformers, _config.__name__.replace("Config", "Model"))
SIZES = ("base", "large")
KERNELS = (10, 3, 3, 3, 3, 2, 2)
STRIDES = (5, 2, 2, 2, 2, 2, 2)
LENGTHS = (6000, 4321, 400)  # the last gives one frame


class Shape(NamedTuple):
    """Numbers and widths of a model, as far as a user may choose them."""

    dim: int
    heads: int
    ffn: int
    blocks: int
    channels: tuple[int, ...]
    position: tuple[int, int]  # kernel, groups
    stack: tuple[int, int]  # that of data2vec: convolutions, kernel
    buckets: tuple[int, int]  # number, longest distance
    noise: float  # what is added to every parameter; depth amplifies it


TINY = Shape(
    *(24, 3, 40, 3, (8, 9, 10, 11, 12, 13, 14), (16, 4), (3, 5)),
    buckets=(16, 12),  # the logarithmic ones are reached
    noise=0.05,
)
PUBLISHED = {
    "base": Shape(
        *(768, 12, 3072, 12, (512,) * 7, (128, 16), (5, 19), (320, 800)), noise=0.02
    ),
    "large": Shape(
        *(1024, 16, 4096, 24, (512,) * 7, (128, 16), (5, 19), (320, 800)), noise=0.02
    ),
}


@dataclasses.dataclass(frozen=True)
class Reference:
    """A model of another library.

    Attributes:
        module: the model.
        hidden_states: maps one batch without padding (B, T), not normalised, to the
            hidden states by the definition of pruneasr.encoder.model, those the library
            does not give left out at the start.
        padded: the same for waveforms and lengths, where the library gives every
            utterance the result that it has alone; else None.
    """

    module: nn.Module
    hidden_states: Callable[[Tensor], list[Tensor]]
    padded: Callable[[Tensor, Tensor], list[Tensor]] | None


def waveforms(seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return a padded batch (3, 6000) with noise in the padding, and its lengths."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(3, max(LENGTHS), generator=generator), torch.tensor(LENGTHS)


def randomize(module: nn.Module, noise: float) -> None:
    """Move every parameter away from its initial value."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(noise * torch.randn(parameter.shape, generator=generator))


def huggingface(family: str, size: str, shape: Shape = TINY) -> Reference:
    """Return transformers' model."""
    model = huggingface_module(family, size, shape)
    normalize = size == "large" or family == "data2vec"

    def hidden_states(x: Tensor, mask: Tensor | None = None) -> list[Tensor]:
        x = F.layer_norm(x, x.shape[-1:]) if normalize and mask is None else x
        out = model(x, attention_mask=mask, output_hidden_states=True)
        # its list lacks the final norm of pre-norm models
        return [*out.hidden_states[:-1], out.last_hidden_state]

    def padded(x: Tensor, lengths: Tensor) -> list[Tensor]:
        mask = torch.arange(x.size(1)) < lengths[:, None]
        rows = [F.layer_norm(x[i, :n], (n,)) for i, n in enumerate(lengths.tolist())]
        batch = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        return hidden_states(batch, mask.long())

    exact = size == "large" and family != "data2vec"
    return Reference(model, hidden_states, padded if exact else None)


def huggingface_module(
    family: str, size: str, shape: Shape = TINY, **options: object
) -> nn.Module:
    """Return transformers' bare model, or its class that ends in ``head``."""
    head = options.pop("head", "Model")
    large = size == "large"
    values: dict[str, object] = {
        "hidden_size": shape.dim,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.ffn,
        "num_hidden_layers": shape.blocks,
        "conv_dim": shape.channels,
        "conv_kernel": KERNELS,
        "conv_stride": STRIDES,
        "conv_bias": large,
        "num_conv_pos_embeddings": shape.position[0],
        "num_conv_pos_embedding_groups": shape.position[1],
        "feat_extract_norm": "layer" if large else "group",
        "do_stable_layer_norm": large,
    }
    if family == "wavlm":
        number, distance = shape.buckets
        values |= {"num_buckets": number, "max_bucket_distance": distance}
    if family == "data2vec":
        depth, kernel = shape.stack
        values |= {"num_conv_pos_embeddings": depth, "conv_pos_kernel_size": kernel}
        values |= {"feat_extract_norm": "layer", "do_stable_layer_norm": False}
    torch.manual_seed(0)
    config = CLASSES[family](**values | options)
    name = CLASSES[family].__name__.removesuffix("Config")
    model = getattr(transformers, f"{name}{head}")(config).eval()
    randomize(model, shape.noise)
    return model


def torchaudio(family: str, size: str, shape: Shape = TINY) -> Reference:
    """Return torchaudio's model, wrapped as its bundles of Large models are."""
    inner = torchaudio_module(family, size, shape)
    large = size == "large"
    model = _extend_model(inner, normalize_waveform=True) if large else inner

    def hidden_states(x: Tensor) -> list[Tensor]:
        # it normalises the batch as a whole, so utterances go one by one
        rows = [model.extract_features(row[None])[0] for row in x]
        states = [torch.cat(parts) for parts in zip(*rows, strict=True)]
        if large:  # its list lacks the final norm
            states[-1] = inner.encoder.transformer.layer_norm(states[-1])
        return states

    return Reference(model, hidden_states, None)


def torchaudio_module(family: str, size: str, shape: Shape = TINY) -> nn.Module:
    """Return torchaudio's bare model."""
    large = size == "large"
    values: dict[str, object] = {
        "extractor_mode": "layer_norm" if large else "group_norm",
        "extractor_conv_layer_config": list(
            zip(shape.channels, KERNELS, STRIDES, strict=True)
        ),
        "extractor_conv_bias": large,
        "encoder_embed_dim": shape.dim,
        "encoder_projection_dropout": 0.1,
        "encoder_pos_conv_kernel": shape.position[0],
        "encoder_pos_conv_groups": shape.position[1],
        "encoder_num_layers": shape.blocks,
        "encoder_num_heads": shape.heads,
        "encoder_attention_dropout": 0.1,
        "encoder_ff_interm_features": shape.ffn,
        "encoder_ff_interm_dropout": 0.1,
        "encoder_dropout": 0.1,
        "encoder_layer_norm_first": large,
        "encoder_layer_drop": 0.0,
        "aux_num_out": 5,
    }
    torch.manual_seed(0)
    if family == "wavlm":
        buckets = {
            "encoder_num_buckets": shape.buckets[0],
            "encoder_max_distance": shape.buckets[1],
        }
        model = wavlm_model(**values, **buckets)
    else:
        model = wav2vec2_model(**values)
    randomize(model, shape.noise)
    return model.eval()


def fairseq_checkpoint(encoder: Encoder) -> dict[str, object]:
    """Return what fairseq, or WavLM's own code, would save of an encoder."""
    config = encoder.config
    theirs = fairseq_format(config).to_theirs(encoder.state_dict())
    depth = config.pos_conv_layers
    options = {
        "extractor_mode": (
            "default" if config.conv_norm == "group_norm" else "layer_norm"
        ),
        "conv_feature_layers": " + ".join(
            f"[({conv.channels},{conv.kernel}, {conv.stride})]"
            for conv in config.conv_layers
        ),
        "conv_bias": config.conv_bias,
        "encoder_layers": len(config.blocks),
        "encoder_embed_dim": config.dim,
        "encoder_ffn_embed_dim": config.blocks[0].ffn,
        "encoder_attention_heads": config.num_heads,
        "layer_norm_first": config.norm_first,
        "conv_pos": config.pos_conv_kernel * depth,
        "conv_pos_groups": config.pos_conv_groups,
        "pos_conv_depth": depth,
        "activation_fn": "gelu",
        "dropout": 0.1,
    }
    if config.family == "wavlm":
        wavlm = {
            "normalize": config.normalize_waveform,
            "relative_position_embedding": True,
            "gru_rel_pos": True,
            "num_buckets": config.relative_buckets,
            "max_distance": config.relative_max_distance,
        }
        return {"cfg": {**options, **wavlm}, "model": theirs}
    name = {"data2vec": "data2vec_audio"}.get(config.family, config.family)
    task = {"_name": "audio_pretraining", "normalize": config.normalize_waveform}
    return {
        "args": None,
        "cfg": {"model": {"_name": name, **options}, "task": task},
        "model": theirs,
    }


def difference(encoder: Encoder, reference: Reference, padded: bool) -> float:
    """Return the largest difference over all hidden states and valid frames.

    Args:
        encoder: ours.
        reference: theirs.
        padded: feed ours a padded batch; theirs too where it can take one, else one
            utterance after the other.
    """
    x, lengths = waveforms()
    with torch.no_grad():
        if not padded:
            ours, _ = encoder(x)
            return _largest(ours, reference.hidden_states(x))
        states, frames = encoder(x, lengths)
        theirs = None if reference.padded is None else reference.padded(x, lengths)
        worst = 0.0
        for i, (samples, length) in enumerate(zip(lengths, frames, strict=True)):
            row = (
                reference.hidden_states(x[i : i + 1, :samples])
                if theirs is None
                else [state[i : i + 1, :length] for state in theirs]
            )
            ours = [state[i : i + 1, :length] for state in states]
            worst = max(worst, _largest(ours, row))
    return worst


def _largest(ours: list[Tensor], theirs: list[Tensor]) -> float:
    """Compare two lists from the back: a library may leave out the first state."""
    assert len(ours) - len(theirs) in (0, 1)
    pairs = zip(reversed(ours), reversed(theirs), strict=False)
    return max(float((a - b).abs().max()) for a, b in pairs)
