"""The same dense encoder as torchaudio and transformers build it, random weights."""

from __future__ import annotations

import torchaudio
import transformers
from torch import Tensor, nn

from pruneasr.encoder import EncoderConfig
from pruneasr.encoder.config import dense_blocks
from pruneasr.encoder.interop.huggingface_export import write_config


class Reference(nn.Module):
    """A model of another library that is called like an encoder."""

    def __init__(self, model: nn.Module, method: str, **options: bool) -> None:
        super().__init__()
        self.model = model
        self.method = method
        self.options = options

    def forward(self, waveforms: Tensor) -> object:
        """Map waveforms (B, T) to the library's own hidden states."""
        return getattr(self.model, self.method)(waveforms, **self.options)


def references(config: EncoderConfig) -> dict[str, Reference]:
    """Return the models of the other libraries, by their names.

    Raises:
        ValueError: if the architecture is not dense or not of a published kind; no
            other library runs it.
    """
    first = config.blocks[0]
    dense = dense_blocks(config.dim, config.num_heads, first.ffn, len(config.blocks))
    if config.blocks != dense:
        raise ValueError(
            "expected a dense encoder to compare with; found one with uneven blocks. "
            "Give the dense encoder first"
        )
    found = {
        "transformers": Reference(
            _transformers(config), "forward", output_hidden_states=True
        )
    }
    if config.family != "data2vec":  # which torchaudio lacks
        found["torchaudio"] = Reference(_torchaudio(config), "extract_features")
    return {name: model.eval() for name, model in found.items()}


def _transformers(config: EncoderConfig) -> nn.Module:
    values = write_config(config)
    (architecture,) = values["architectures"]
    build = getattr(transformers, architecture)
    model: nn.Module = build(build.config_class.from_dict(values))
    return model


def _torchaudio(config: EncoderConfig) -> nn.Module:
    large = config.conv_norm == "layer_norm"
    options: dict[str, object] = {
        "extractor_mode": "layer_norm" if large else "group_norm",
        "extractor_conv_layer_config": [
            (conv.channels, conv.kernel, conv.stride) for conv in config.conv_layers
        ],
        "extractor_conv_bias": config.conv_bias,
        "encoder_embed_dim": config.dim,
        "encoder_projection_dropout": 0.0,
        "encoder_pos_conv_kernel": config.pos_conv_kernel,
        "encoder_pos_conv_groups": config.pos_conv_groups,
        "encoder_num_layers": len(config.blocks),
        "encoder_num_heads": config.num_heads,
        "encoder_attention_dropout": 0.0,
        "encoder_ff_interm_features": config.blocks[0].ffn,
        "encoder_ff_interm_dropout": 0.0,
        "encoder_dropout": 0.0,
        "encoder_layer_norm_first": config.norm_first,
        "encoder_layer_drop": 0.0,
        "aux_num_out": None,
    }
    if config.family != "wavlm":
        model: nn.Module = torchaudio.models.wav2vec2_model(**options)
        return model
    options["encoder_num_buckets"] = config.relative_buckets
    options["encoder_max_distance"] = config.relative_max_distance
    wavlm: nn.Module = torchaudio.models.wavlm_model(**options)
    return wavlm
