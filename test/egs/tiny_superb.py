"""Corpora of some generated keywords and emotions for the recipe of SUPERB.

python tiny_superb.py FOLDER    corpora with manifest.tsv, and two random encoders

Nothing in it is speech: a keyword is a tone, a speaker an overtone, an emotion the
rhythm. What it tests are the steps, not the probes.
"""

import sys
from pathlib import Path

import numpy as np
from tiny import random_encoder

from pruneasr.data.manifest import ManifestRow, write_manifest
from pruneasr.data.waveform import write_flac
from pruneasr.encoder import save_encoder

RATE = 16000
WORDS = {"one": 300, "two": 500}
EMOTIONS = {"calm": 2, "anger": 9}
SPEAKERS = 10


def tone(frequency, speaker, beat, seconds=0.3):
    time = np.arange(int(seconds * RATE)) / RATE
    voice = np.sin(2 * np.pi * frequency * time)
    voice += 0.5 * np.sin(2 * np.pi * (900 + 100 * speaker) * time)
    noise = np.random.default_rng(speaker).normal(size=len(time))
    return (
        0.2 * voice * (1 + np.sin(2 * np.pi * beat * time)) / 2 + 0.01 * noise
    ).astype(np.float32)


def row(corpus, name, samples, speaker, *, text="", label="", split="all"):
    path = corpus / "audio" / f"{name}.flac"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_flac(path, samples, RATE)
    seconds = f"{len(samples) / RATE:.3f}"
    return ManifestRow(f"audio/{name}.flac", seconds, speaker, text, label, split)


def commands(corpus):
    rows = []
    for speaker in range(SPEAKERS):
        for word, frequency in WORDS.items():
            for take in range(2):
                name = f"{word}_{speaker}_{take}"
                samples = tone(frequency, speaker, 2 + take)
                split = "train" if speaker < SPEAKERS - 3 else "dev"
                rows.append(
                    row(corpus, name, samples, f"s{speaker}", label=word, split=split)
                )
    write_manifest(corpus, rows)


def readers(corpus):
    """Sentences of two words, eight of each speaker."""
    rows = []
    for speaker in range(4):
        for take in range(8):
            said = [list(WORDS)[take % 2], list(WORDS)[take // 2 % 2]]
            parts = [tone(WORDS[word], speaker, 2 + take) for word in said]
            name = f"{speaker}-7-{take}"
            text = " ".join(said).upper()
            samples = np.concatenate(parts)
            rows.append(row(corpus, name, samples, str(speaker), text=text))
    write_manifest(corpus, rows)


def emotions(corpus):
    rows = []
    for speaker in range(5):
        for emotion, beat in EMOTIONS.items():
            for take in range(2):
                name = f"{speaker}{emotion}{take}"
                samples = tone(300 + 50 * take, speaker, beat)
                rows.append(row(corpus, name, samples, f"{speaker}", label=emotion))
    write_manifest(corpus, rows)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    commands(folder / "commands")
    readers(folder / "readers")
    emotions(folder / "emotions")
    save_encoder(random_encoder(), folder / "encoder")
    save_encoder(random_encoder(seed=1), folder / "other")
