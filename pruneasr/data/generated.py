"""Corpora of generated sentences, spoken by espeak-ng.

A recipe brings a function that draws a line; this file decides who says it, in three
sets that share neither speakers nor sentences, speaks, and writes the data directories.
The test set depends on the seed and its own size only.
"""

import argparse
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pruneasr.data.datadir import Utterance
from pruneasr.data.sets import write_checked
from pruneasr.data.synthesis import Sentence, draw_voices, speak_all
from pruneasr.errors import in_a_line

MAX_REPEATS = 10_000
"""Draws in a row of what was said before: then nearly everything was."""
NUM_SPEAKERS = {"test": 8, "dev": 8, "train": 48}


@dataclass(frozen=True)
class Line:
    """What is spoken, and what stands in ``text``: the same, or what it means."""

    spoken: str
    text: str


Draw = Callable[[random.Random], Line]
Corpus = dict[str, list[tuple[Sentence, str]]]


def plan(draw: Draw, sizes: Mapping[str, int], seed: int) -> Corpus:
    """Decide who says what in each set; set by set in the order of NUM_SPEAKERS.

    Args:
        draw: Draws a line.
        sizes: Number of utterances of each set.
        seed: Of voices and lines.

    Returns:
        Sentences and their ``text``; none is said twice.

    Raises:
        ValueError: There are not so many sentences.
    """
    voices = iter(draw_voices(sum(NUM_SPEAKERS.values()), seed=seed))
    said: set[str] = set()
    corpus: Corpus = {}
    for name, num_speakers in NUM_SPEAKERS.items():
        speakers = [next(voices) for _ in range(num_speakers)]
        lines = _draw_new(draw, sizes[name], random.Random(f"{seed} {name}"), said)
        corpus[name] = [
            (Sentence(f"{voice.speaker}-{name}{i:05d}", line.spoken, voice), line.text)
            for i, line in enumerate(lines)
            for voice in [speakers[i % num_speakers]]
        ]
    return corpus


def _draw_new(
    draw: Draw, count: int, generator: random.Random, said: set[str]
) -> list[Line]:
    """Draw lines that are not in ``said``, and add them to it.

    Raises:
        ValueError: There are no new ones.
    """
    lines: list[Line] = []
    repeats = 0
    while len(lines) < count:
        line = draw(generator)
        repeats = repeats + 1 if line.spoken in said else 0
        if repeats == MAX_REPEATS:
            raise ValueError(
                f"expected {count} sentences not said yet, found {len(lines)} beside "
                f"the {len(said) - len(lines)} of the other sets; ask for fewer"
            )
        if not repeats:
            said.add(line.spoken)
            lines.append(line)
    return lines


def make(corpus: Corpus, data: Path, num_jobs: int) -> None:
    """Speak a corpus and write its data directories; what is there is kept.

    Raises:
        ValueError: espeak-ng cannot say a sentence.
    """
    for name, items in corpus.items():
        sentences = [sentence for sentence, _ in items]
        paths = speak_all(sentences, data / "audio" / name, num_jobs=num_jobs)
        utterances = [
            Utterance(item.utterance, item.voice.speaker, str(path), text)
            for (item, text), path in zip(items, paths, strict=True)
        ]
        write_checked(data / name, utterances)


@in_a_line
def run(draw: Draw, description: str | None) -> None:
    """Run the command line of a recipe's local/make_corpus.py."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("data", type=Path, help="receives train, dev, test and audio")
    parser.add_argument("--num-train", type=int, default=1200, help="utterances")
    parser.add_argument("--num-dev", type=int, default=100, help="utterances")
    parser.add_argument("--num-test", type=int, default=100, help="utterances")
    parser.add_argument("--seed", type=int, default=0, help="voices and sentences")
    parser.add_argument("--num-jobs", type=int, default=2, help="processes")
    args = parser.parse_args()
    sizes = {"train": args.num_train, "dev": args.num_dev, "test": args.num_test}
    make(plan(draw, sizes, args.seed), args.data, args.num_jobs)
