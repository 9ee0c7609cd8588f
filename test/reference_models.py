"""Tiny random models of transformers and torchaudio, and how ours compares with them.

Every parameter is random, those that start at one or zero too, so that a swapped or
skipped tensor shows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

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
DIM, HEADS, FFN, BLOCKS = 24, 3, 40, 3
CHANNELS = (8, 9, 10, 11, 12, 13, 14)
KERNELS = (10, 3, 3, 3, 3, 2, 2)
STRIDES = (5, 2, 2, 2, 2, 2, 2)
POSITION = (16, 4)  # kernel, groups
BUCKETS = (16, 12)  # number, longest distance: the logarithmic ones are reached
LENGTHS = (6000, 4321, 400)  # the last gives one frame


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


def randomize(module: nn.Module, seed: int = 0) -> None:
    """Move every parameter away from its initial value."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.add_(0.05 * noise)


def huggingface(family: str, size: str, **options: object) -> Reference:
    """Return transformers' model."""
    model = huggingface_module(family, size, **options)
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


def huggingface_module(family: str, size: str, **options: object) -> nn.Module:
    """Return transformers' bare model, or its class that ends in ``head``."""
    head = options.pop("head", "Model")
    large = size == "large"
    values: dict[str, object] = {
        "hidden_size": DIM,
        "num_attention_heads": HEADS,
        "intermediate_size": FFN,
        "num_hidden_layers": BLOCKS,
        "conv_dim": CHANNELS,
        "conv_kernel": KERNELS,
        "conv_stride": STRIDES,
        "conv_bias": large,
        "num_conv_pos_embeddings": POSITION[0],
        "num_conv_pos_embedding_groups": POSITION[1],
        "feat_extract_norm": "layer" if large else "group",
        "do_stable_layer_norm": large,
    }
    if family == "wavlm":
        values |= {"num_buckets": BUCKETS[0], "max_bucket_distance": BUCKETS[1]}
    if family == "data2vec":
        values |= {"num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 5}
        values |= {"feat_extract_norm": "layer", "do_stable_layer_norm": False}
    torch.manual_seed(0)
    config = CLASSES[family](**values | options)
    name = CLASSES[family].__name__.removesuffix("Config")
    model = getattr(transformers, f"{name}{head}")(config).eval()
    randomize(model)
    return model


def torchaudio(family: str, size: str) -> Reference:
    """Return torchaudio's model, wrapped as its bundles of Large models are."""
    inner = torchaudio_module(family, size)
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


def torchaudio_module(family: str, size: str, **options: object) -> nn.Module:
    """Return torchaudio's bare model."""
    large = size == "large"
    values: dict[str, object] = {
        "extractor_mode": "layer_norm" if large else "group_norm",
        "extractor_conv_layer_config": list(
            zip(CHANNELS, KERNELS, STRIDES, strict=True)
        ),
        "extractor_conv_bias": large,
        "encoder_embed_dim": DIM,
        "encoder_projection_dropout": 0.1,
        "encoder_pos_conv_kernel": POSITION[0],
        "encoder_pos_conv_groups": POSITION[1],
        "encoder_num_layers": BLOCKS,
        "encoder_num_heads": HEADS,
        "encoder_attention_dropout": 0.1,
        "encoder_ff_interm_features": FFN,
        "encoder_ff_interm_dropout": 0.1,
        "encoder_dropout": 0.1,
        "encoder_layer_norm_first": large,
        "encoder_layer_drop": 0.0,
        "aux_num_out": 5,
    }
    torch.manual_seed(0)
    if family == "wavlm":
        buckets = {
            "encoder_num_buckets": BUCKETS[0],
            "encoder_max_distance": BUCKETS[1],
        }
        model = wavlm_model(**values, **buckets, **options)
    else:
        model = wav2vec2_model(**values, **options)
    randomize(model)
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
