"""Adapts an objective of ours to ESPnet's trainer.

An objective is a module that returns a loss and what to log, ``frames`` among it: the
number of frames that the loss is a mean of. This is the weight of a batch, so that the
mean over several processes, or over an epoch, is one over all frames.

Here it gets what every training needs: autocast on CPU as well as GPU (ESPnet's
``use_amp`` reaches GPUs only), a stop with the utterance ids when the loss is not
finite, and the speed and time left in the log line.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from espnet2.torch_utils.device_funcs import force_gatherable
from espnet2.train.abs_espnet_model import AbsESPnetModel
from torch import Tensor, nn

from pruneasr import SAMPLE_RATE, processes
from pruneasr.precision import autocast, check_autocast


class TrainingModel(AbsESPnetModel):
    """An objective, called with ESPnet's batches."""

    def __init__(
        self, objective: nn.Module, autocast: str | None, num_batches: int
    ) -> None:
        """Wrap an objective.

        Args:
            objective: called as ``objective(waveforms, lengths, *labels)``.
            autocast: None or ``bfloat16``, which needs no scaled loss.
            num_batches: of the whole training, for the time left.

        Raises:
            ValueError: if autocast is another type.
        """
        super().__init__()
        check_autocast(autocast)
        self.objective = objective
        self.autocast = autocast
        self.progress = Progress(num_batches)

    def forward(
        self,
        speech: Tensor,
        speech_lengths: Tensor,
        utt_id: list[str],
        **labels: Tensor,
    ) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        """Return loss, statistics and weight, in frames, of a batch speech (B, T).

        Raises:
            FloatingPointError: if the loss is not finite.
        """
        with autocast(speech.device.type, self.autocast):
            loss, stats = self.objective(speech, speech_lengths, *labels.values())
        if not bool(torch.isfinite(loss)):
            raise FloatingPointError(
                f"the loss is {loss.item()} on the utterances {' '.join(utt_id)}; look "
                "at their audio, or lower the learning rate"
            )
        stats = {"loss": loss.detach(), **stats}
        if self.training:
            stats.update(self.progress.step(float(speech_lengths.sum()) / SAMPLE_RATE))
        return force_gatherable((loss, stats, stats["frames"]), loss.device)

    def collect_feats(self, **batch: Any) -> dict[str, Tensor]:
        """Refuse: the objectives read waveforms, whose lengths are known beforehand."""
        raise ValueError(
            "no statistics are needed; pass utt2num_samples as --train_shape_file"
        )


class Progress(nn.Module):
    """Seconds of audio per second, and minutes to the end of the training."""

    done: Tensor

    def __init__(self, num_batches: int) -> None:
        """Start to count the batches of a training."""
        super().__init__()
        self.num_batches = num_batches
        self.register_buffer("done", torch.tensor(0))  # a buffer, to survive a restart
        self.last: float | None = None
        self.mean_sec: float | None = None

    def step(self, audio_sec: float) -> dict[str, float]:
        """Count a batch and return what to log, nothing at the first of a process."""
        now = time.monotonic()
        last, self.last = self.last, now
        self.done += 1
        if last is None:
            return {}
        elapsed = now - last
        # a running mean over about 50 batches: steady, yet follows the machine's load
        mean = elapsed if self.mean_sec is None else self.mean_sec
        self.mean_sec = mean + (elapsed - mean) / 50
        # of all processes: ESPnet logs the mean over them
        rate = processes.num_processes() * audio_sec / elapsed
        left = max(0, self.num_batches - int(self.done))
        return {"audio_sec_per_sec": rate, "minutes_left": left * self.mean_sec / 60}
