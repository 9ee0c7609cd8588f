"""Make data/sd: two speakers of LibriSpeech in one recording, partly at once.

A mixture is the beginnings of two sentences, equally loud; the second one starts before
the first has ended. A speaker counts as active from the first to the last sample, short
pauses included. Speakers are apart, and a mixture follows from its set and number.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from splits import hold_out, write_task

from pruneasr import SAMPLE_RATE
from pruneasr.data.datadir import Utterance
from pruneasr.data.manifest import read_manifest
from pruneasr.data.waveform import write_flac
from pruneasr.errors import in_a_line
from pruneasr.superb.metrics.diarization import require_pyannote
from pruneasr.superb.segments import Segment, format_segments

MAX_SECONDS = 6.0
"""Of each speaker."""

LEVEL = 0.05
"""Root mean square of each speaker: two of them do not clip."""


def beginning(path: Path) -> np.ndarray:
    """Return the first seconds of a file at the common level."""
    samples, rate = soundfile.read(
        path, frames=int(MAX_SECONDS * SAMPLE_RATE), dtype="float32"
    )
    if rate != SAMPLE_RATE:
        raise ValueError(f"{path}: expected {SAMPLE_RATE} Hz, found {rate} Hz")
    return np.asarray(
        samples * (LEVEL / max(float(np.sqrt(np.mean(samples**2))), 1e-6))
    )


def mix(
    paths: dict[str, Sequence[str]], corpus: Path, target: Path, name: str
) -> Utterance:
    """Write one mixture and return it with its segments as text."""
    generator = random.Random(name)
    speakers = generator.sample(sorted(paths), 2)
    voices = [beginning(corpus / generator.choice(paths[s])) for s in speakers]
    start = int(generator.uniform(0.2, 0.9) * len(voices[0]))
    mixture = np.zeros(max(len(voices[0]), start + len(voices[1])), np.float32)
    mixture[: len(voices[0])] += voices[0]
    mixture[start : start + len(voices[1])] += voices[1]
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"{name}.flac"
    write_flac(path, np.clip(mixture, -1, 1), SAMPLE_RATE)
    segments = [
        Segment(speaker, first / SAMPLE_RATE, (first + len(voice)) / SAMPLE_RATE)
        for speaker, first, voice in zip(speakers, (0, start), voices, strict=True)
    ]
    return Utterance(name, name, str(path), format_segments(segments))


@in_a_line
def main() -> None:
    """Read the options and write the sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder that holds manifest.tsv")
    parser.add_argument("output", type=Path, help="data/sd")
    parser.add_argument("--num-train", type=int, default=300, help="mixtures")
    parser.add_argument("--num-dev", type=int, default=40, help="mixtures")
    parser.add_argument("--num-test", type=int, default=60, help="mixtures")
    args = parser.parse_args()
    sizes = {"train": args.num_train, "dev": args.num_dev, "test": args.num_test}
    require_pyannote()
    rows = read_manifest(args.corpus)
    speakers = {row.speaker for row in rows}
    num_held_out = max(2, len(speakers) // 5)
    members = hold_out(speakers, num_held_out, num_held_out)
    sets = {}
    for name, size in sizes.items():
        paths: dict[str, list[str]] = {speaker: [] for speaker in members[name]}
        for row in rows:
            if row.speaker in paths:
                paths[row.speaker].append(row.path)
        target = args.output / "audio" / name
        sets[name] = [
            mix(paths, args.corpus, target, f"{name}{i:05d}") for i in range(size)
        ]
    about = (
        "mixtures of two speakers made of LibriSpeech train-clean-5, "
        f"{' / '.join(map(str, sizes.values()))} mixtures of "
        f"{' / '.join(str(len(members[name])) for name in sizes)} speakers"
    )
    write_task(args.output, [sets], about)


if __name__ == "__main__":
    main()
