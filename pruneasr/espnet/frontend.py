"""``frontend: pruned_ssl``: an encoder, pruned or not, as frontend of any ESPnet task.

A training starts from an encoder directory and writes its architecture into the
configuration, so that the trained model needs no other file. The saved model carries
the weights; this module refuses to run on weights that came from nowhere.

Shapes: B batch, T samples, L frames, D model dimension.
"""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import humanfriendly
import torch

# where both releases of ESPnet that are supported have it
from espnet2.asr.encoder.transformer_encoder import TooShortUttError
from espnet2.asr.frontend.abs_frontend import AbsFrontend
from torch import Tensor

from pruneasr import SAMPLE_RATE
from pruneasr.encoder import Encoder, EncoderConfig, load_encoder
from pruneasr.encoder.checkpoint import load_config
from pruneasr.encoder.feature_extractor import frame_mask
from pruneasr.espnet.frontend_parts import (
    Featurizer,
    is_frozen,
    keep_blocks,
    local_directory,
)
from pruneasr.precision import autocast, check_autocast


class TooShortAudioError(TooShortUttError, ValueError):
    """Audio shorter than a frame; ESPnet's decoders log it and go on without words."""


class PrunedSSLFrontend(AbsFrontend):
    """Hidden states of a self-supervised encoder as features, of whole utterances.

    ``upstream`` is the encoder and ``featurizer`` mixes its hidden states; the names
    are those of ESPnet's s3prl frontend, so ``freeze_param: [frontend.upstream]``
    works. An encoder without a trainable parameter, frozen by whatever means, runs in
    eval mode and without gradient.
    """

    def __init__(
        self,
        ckpt: str | None = None,
        arch: dict[str, Any] | None = None,
        multilayer_feature: bool = True,
        layer: int = -1,
        tile_factor: int = 1,
        freeze: bool = False,
        freeze_cnn: bool = False,
        freeze_steps: int = 0,
        autocast: str | None = None,
        dropout: float | None = None,
        download_dir: str | None = None,
        fs: int | str = SAMPLE_RATE,
    ) -> None:
        """Build the frontend; the options are the keys of ``frontend_conf``.

        Args:
            ckpt: encoder directory to start from. None: the weights are random, or
                come with a trained model.
            arch: the architecture (``EncoderConfig.to_dict()``). An empty dict is
                filled in place from ``ckpt``; ESPnet then saves it in ``config.yaml``.
                Where it is full already, as in that file, ``ckpt`` may be gone.
            multilayer_feature: learn a weighted sum of all hidden states.
            layer: without ``multilayer_feature``, the hidden state to use: 0 enters
                the first block, k leaves the k-th, -1 is the last. Later blocks are
                left out.
            tile_factor: repeat each frame so many times, as ESPnet's s3prl frontend.
            freeze: train nothing of the encoder.
            freeze_cnn: train nothing of its convolutions.
            freeze_steps: freeze the encoder for the first training batches, counted in
                the model file. Under DDP this needs ``unused_parameters: true``.
            autocast: ``bfloat16`` runs the encoder in it, whatever the task does.
            dropout: rate of the encoder while it is fine-tuned. None: its own, which
                distillation leaves at 0.
            download_dir: given, ``ckpt`` is the id of a model on the Hugging Face Hub
                and is kept below this directory.
            fs: sampling rate, 16000 or ``16k``.

        Raises:
            ValueError: if an option is out of range or contradicts another one, or the
                encoder cannot be read.
        """
        super().__init__()
        _check_options(fs, multilayer_feature, layer, tile_factor, autocast)
        if freeze_steps < 0 or (freeze and freeze_steps):
            raise ValueError(
                f"freeze_steps must be >= 0, and 0 with freeze: true; found "
                f"freeze_steps={freeze_steps}, freeze={freeze}"
            )
        if arch is None:
            raise ValueError(
                "frontend_conf lacks `arch`. Write `arch: {}` beside `ckpt`: the "
                "architecture is stored there, for decoding without the ckpt"
            )
        self.ckpt = ckpt
        self.download_dir = download_dir
        self.ckpt_required = not arch
        if not arch:
            if ckpt is None:
                raise ValueError("`arch: {}` is filled from an encoder; give `ckpt`")
            arch.update(load_config(self._ckpt_directory()).to_dict())
        self.arch = EncoderConfig.from_dict(arch)
        num_blocks = _last_block(layer, len(self.arch.blocks))
        rate = self.arch.dropout if dropout is None else dropout
        self.upstream = Encoder(dataclasses.replace(self.arch, dropout=rate))
        keep_blocks(self.upstream, num_blocks)
        self.featurizer = Featurizer(
            num_blocks + 1 if multilayer_feature else 1,
            self.read_pretrained,
        )
        self.tile_factor = tile_factor
        self.freeze_steps = freeze_steps
        self.autocast = autocast
        self.register_buffer("steps", torch.tensor(0))
        self.frontend_type = "pruned_ssl"
        self.hop_length = self.arch.hop
        self.no_weights: str | None = None
        self.read_pretrained()
        self.register_load_state_dict_pre_hook(_refuse_gaps)
        if freeze:
            self.upstream.requires_grad_(False)
        if freeze_cnn:
            self.upstream.feature_extractor.requires_grad_(False)
        self.train(self.training)

    def output_size(self) -> int:
        """Return D."""
        return self.arch.dim

    def frozen(self) -> bool:
        """Tell whether the encoder gets no gradient now."""
        if self.freeze_steps and int(self.steps) < self.freeze_steps:
            return True
        return is_frozen(self.upstream)

    def train(self, mode: bool = True) -> PrunedSSLFrontend:
        """Set the mode; a frozen encoder stays in eval mode, hence without dropout."""
        super().train(mode)
        self.upstream.train(mode and not self.frozen())
        return self

    def forward(self, waveforms: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Extract features.

        Args:
            waveforms: (B, T) at 16 kHz, in [-1, 1].
            lengths: (B,) valid samples of each.

        Returns:
            (B, L, D), zero beyond the valid frames, in the type of the waveforms, and
            the number of valid frames (B,), floor((samples - 400) / 320) + 1 for the
            published convolutions.

        Raises:
            TooShortAudioError: if an utterance is shorter than a frame.
            ValueError: if the audio is not mono, the encoder has no weights, or it is
                trained in a replica of DataParallel, which holds no parameters.
        """
        if self.training and getattr(self, "_is_replica", False):
            raise ValueError(
                "frontend: pruned_ssl trains on several GPUs by "
                "--multiprocessing_distributed true, found torch's DataParallel"
            )
        if self.no_weights is not None:
            raise ValueError(
                "the encoder of frontend: pruned_ssl has random weights, because "
                f"neither a model file nor ckpt filled it: {self.no_weights}"
            )
        shortest, needed = int(lengths.min()), self.arch.receptive_field
        if shortest < needed:
            raise TooShortAudioError(
                f"too short: the encoder needs at least {needed} samples of every "
                f"utterance; found {lengths.tolist()}. Remove or pad the short ones",
                shortest,
                needed,
            )
        frozen = self.frozen()
        self.upstream.train(self.training and not frozen)
        if self.training:
            self.steps += 1
        waveforms = waveforms[:, : int(lengths.max())]
        # with a waveform that needs a gradient, a speech enhancer is trained through us
        graph = not frozen or (waveforms.requires_grad and not self.freeze_steps)
        with (
            torch.set_grad_enabled(torch.is_grad_enabled() and graph),
            autocast(waveforms.device.type, self.autocast),
        ):
            hidden_states, frame_lengths = self.upstream(waveforms, lengths)
        feats = self.featurizer([h.to(waveforms.dtype) for h in hidden_states])
        valid = frame_mask(frame_lengths, feats.size(1))
        feats = feats.masked_fill(~valid[..., None], 0.0)
        if self.tile_factor > 1:
            feats = feats.repeat_interleave(self.tile_factor, dim=1)
        return feats, frame_lengths * self.tile_factor

    def read_pretrained(self) -> None:
        """Read the encoder's weights from ``ckpt``, where there is one.

        ESPnet calls this once more after ``init``. With a full ``arch`` a ckpt that is
        gone, or has become another model, is no error until the encoder is used without
        weights.

        Raises:
            ValueError: if ``arch`` was empty and the encoder cannot be read.
        """
        if self.ckpt is None:
            return
        try:
            tensors = self._read_ckpt()
        except ValueError as error:
            if self.ckpt_required:
                raise
            self.no_weights = str(error)
            logging.info("pruned_ssl: the weights are to come with a model: %s", error)
            return
        own = self.upstream.state_dict()
        for name in own.keys() & tensors.keys():  # those of blocks left out are not own
            own[name].copy_(tensors[name])
        logging.info("pruned_ssl: weights of the encoder from %s", self.ckpt)

    def _read_ckpt(self) -> dict[str, Tensor]:
        directory = self._ckpt_directory()
        encoder = load_encoder(directory)
        if encoder.config != self.arch:
            raise ValueError(
                f"{directory} holds another architecture than frontend_conf.arch; set "
                "`arch: {}` to train from it"
            )
        return encoder.state_dict()

    def _ckpt_directory(self) -> Path:
        return local_directory(str(self.ckpt), self.download_dir, self.ckpt_required)


def _check_options(
    fs: int | str,
    multilayer_feature: bool,
    layer: int,
    tile_factor: int,
    autocast: str | None,
) -> None:
    rate = humanfriendly.parse_size(fs) if isinstance(fs, str) else fs
    if rate != SAMPLE_RATE:
        raise ValueError(
            f"the encoder reads 16 kHz audio; found fs={fs}. Resample the data (asr.sh "
            "--fs 16k)"
        )
    if multilayer_feature and layer != -1:
        raise ValueError(
            f"layer={layer} selects one hidden state, multilayer_feature mixes all; "
            "set multilayer_feature: false"
        )
    if tile_factor < 1:
        raise ValueError(f"tile_factor must be >= 1; found {tile_factor}")
    check_autocast(autocast)


def _last_block(layer: int, num_blocks: int) -> int:
    """Return how many blocks lead to a hidden state."""
    if not -1 <= layer <= num_blocks:
        raise ValueError(
            f"layer must be -1 or within 0..{num_blocks}, the hidden states of this "
            f"encoder; found {layer}"
        )
    return num_blocks if layer == -1 else layer


def _refuse_gaps(
    frontend: PrunedSSLFrontend, tensors: dict[str, Tensor], prefix: str, *_: object
) -> None:
    """Raise unless a state dict fills the whole frontend.

    ESPnet loads with ``strict=False``, which would leave a missing weight random. The
    one exception: ESPnet can save a model with LoRA adapters without the weights that
    were not trained; the ckpt has then filled them.
    """
    wanted = {prefix + name for name in frontend.state_dict()}
    found = {name for name in tensors if name.startswith(prefix)}
    missing, extra = sorted(wanted - found), sorted(found - wanted)
    adapted = any("lora_" in name for name in found)
    from_ckpt = frontend.ckpt is not None and frontend.no_weights is None
    if extra or (missing and not (adapted and from_ckpt)):
        raise ValueError(
            "the model file does not fit frontend: pruned_ssl. "
            f"Missing: {missing}. Extra: {extra}. Decode with the config.yaml that was "
            "saved with the model"
        )
    frontend.no_weights = None
