"""Corpora in the layout of the full-size ones, some sentences each, synthetic speech.

python tiny_corpora.py librispeech FOLDER    the seven parts of LibriSpeech
python tiny_corpora.py slurp FOLDER          SLURP's text and recordings
"""

import json
import sys
from pathlib import Path

from pruneasr.data.synthesis import Sentence, draw_voices, speak_all

PARTS = (
    *("train-clean-100", "train-clean-360", "train-other-500"),
    *("dev-clean", "dev-other", "test-clean", "test-other"),
)
COLOURS = ("red", "green", "yellow", "black", "white")
NUMBERS = ("two", "three", "four", "five", "six")
WORDS = COLOURS + NUMBERS
NUM_SENTENCES = 10  # every word, and so every letter, in every part


def librispeech(folder):
    for number, (part, voice) in enumerate(
        zip(PARTS, draw_voices(len(PARTS), seed=0), strict=True), start=1
    ):
        chapter = folder / part / str(number) / "7"
        chapter.mkdir(parents=True)
        texts = [
            f"{WORDS[i]} {WORDS[i - number]} candles" for i in range(NUM_SENTENCES)
        ]
        names = [f"{number}-7-{i:04d}" for i in range(NUM_SENTENCES)]
        sentences = [
            Sentence(name, text, voice) for name, text in zip(names, texts, strict=True)
        ]
        for name, path in zip(
            names, speak_all(sentences, folder / "spoken"), strict=True
        ):
            path.rename(chapter / f"{name}.flac")
        lines = [f"{n} {t.upper()}\n" for n, t in zip(names, texts, strict=True)]
        (chapter / f"{number}-7.trans.txt").write_text("".join(lines))


def slurp(folder):
    folder.mkdir(parents=True)
    names = ("train", "devel", "test")
    for offset, (name, voice) in enumerate(
        zip(names, draw_voices(len(names), seed=0), strict=True)
    ):
        entries, sentences = [], []
        for i in range(NUM_SENTENCES):
            colour, number = COLOURS[i % 5], NUMBERS[(i + offset) % 5]
            words = f"make it {colour} at {number} 's end".split()
            recording = f"audio-{100 * offset + i}"
            entry = {
                "slurp_id": 100 * offset + i,
                "scenario": ("lights", "music")[i % 2],
                "action": "set",
                "sentence_annotation": f"make it [color_type : {colour}] at "
                f"[time : {number}'s end]",
                "tokens": [{"surface": word} for word in words],
                "entities": [
                    {"type": "color_type", "span": [2]},
                    {"type": "time", "span": [4, 5, 6]},
                ],
                "recordings": [{"file": f"{recording}.flac"}],
            }
            entries.append(f"{json.dumps(entry)}\n")
            sentences.append(Sentence(recording, " ".join(words), voice))
        (folder / f"{name}.jsonl").write_text("".join(entries))
        (folder / "slurp_real").mkdir(exist_ok=True)
        spoken = speak_all(sentences, folder / "spoken")
        for sentence, path in zip(sentences, spoken, strict=True):
            path.rename(folder / "slurp_real" / f"{sentence.utterance}.flac")


if __name__ == "__main__":
    {"librispeech": librispeech, "slurp": slurp}[sys.argv[1]](Path(sys.argv[2]))
