"""Real-time factors of encoders, measured side by side in one process.

One pass over the beginning of a test set with batch size 1, encoder after encoder,
many times over, and of each its fastest: what else the machine does can only make a
pass slower. Encoders of one shape do the same work, so each shape is timed once; the
first is timed as two copies, and what they differ by is noise. Reading audio is not
counted.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Generic

from pruneasr import SAMPLE_RATE
from pruneasr.bench.backends import Runner, runner
from pruneasr.bench.progress import Progress
from pruneasr.bench.timing import Key, alternate, read_audio, run_all
from pruneasr.encoder import EncoderConfig, load_encoder
from pruneasr.encoder.checkpoint import load_config

# 60 encoders take five minutes. On a machine with both cores busy the medians of five
# passes of one shape differed by 25 %, the fastest of twenty by 4 %.
AUDIO_SEC = 60
PASSES = 20


@dataclasses.dataclass(frozen=True)
class Speeds(Generic[Key]):
    """Real-time factors and how far to trust them.

    Attributes:
        factors: name -> seconds of computing per second of audio.
        noise: share by which two copies of one encoder differ.
    """

    factors: Mapping[Key, float]
    noise: float

    def note(self, test_set: str) -> str:
        """Return what a report says of its column RTF.

        Args:
            test_set: whose audio was timed.
        """
        return (
            "RTF is the encoder's computing time per second of audio, the first "
            f"{AUDIO_SEC} s of {test_set}: float32, batch 1, the fastest of {PASSES} "
            "passes, all shapes of encoders in turn in one process. Two copies of one "
            f"encoder differed by {self.noise:.1%}."
        )


def real_time_factors(
    encoders: Mapping[Key, Path], wav_scp: Path, repeats: int = PASSES
) -> Speeds[Key]:
    """Return seconds of computing per second of audio, the fastest of the passes.

    Args:
        encoders: name -> encoder directory.
        wav_scp: audio of the test set, 16 kHz mono.
        repeats: passes over its first :data:`AUDIO_SEC`.
    """
    audio = [waveform[None] for waveform in read_audio(wav_scp, AUDIO_SEC)]
    total_sec = sum(waveform.size(1) for waveform in audio) / SAMPLE_RATE
    shapes = {name: load_config(path) for name, path in encoders.items()}
    paths = {shapes[name]: path for name, path in encoders.items()}
    runners: dict[EncoderConfig | None, Runner] = {
        shape: runner(load_encoder(path).eval(), "eager")
        for shape, path in paths.items()
    }
    first = next(iter(paths))
    runners[None] = runner(load_encoder(paths[first]).eval(), "eager")
    for run in runners.values():  # the first pass pays for memory and threads
        run_all(run, audio[:3])
    calls = {s: functools.partial(run_all, r, audio) for s, r in runners.items()}
    progress, once = Progress(repeats), functools.partial(alternate, calls, 1)
    title = f"timing {len(paths)} shapes of encoders, pass {{}} of {repeats}"
    passes = [progress.run(title.format(i + 1), 1, once) for i in range(repeats)]
    seconds = {shape: min(one[shape][0] for one in passes) for shape in runners}
    return Speeds(
        {name: seconds[shape] / total_sec for name, shape in shapes.items()},
        abs(seconds[None] / seconds[first] - 1),
    )
