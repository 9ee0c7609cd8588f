"""Make the mini corpus: sentences of a small grammar, spoken by espeak-ng.

Commands and remarks of a household: sentences of three to six words over a vocabulary
of about 120, none said twice, by speakers who belong to one of the three sets only.
Small enough to be learnt in minutes, varied enough that a model must listen. The test
set depends on the seed and its own size only.
"""

import argparse
import random
from pathlib import Path

from pruneasr.data.audio import check_audio
from pruneasr.data.datadir import Utterance, write_data_dir
from pruneasr.data.synthesis import Sentence, Voice, draw_voices, speak_all

# Upper-case words stand for one of a class; the numbers are relative frequencies.
PATTERNS = {
    "ACTION the COLOUR THING": 4,
    "ACTION NUMBER COLOUR PLURAL": 3,
    "put the THING PLACE the THING": 4,
    "turn SWITCH the DEVICE": 2,
    "turn SWITCH the ROOM DEVICE": 3,
    "NAME likes the COLOUR THING": 3,
    "NAME is in the ROOM": 2,
    "walk DIRECTION NUMBER metres": 2,
    "go to the ROOM DAYTIME": 2,
    "call NAME DAYTIME": 2,
    "NAME has NUMBER PLURAL": 3,
    "the THING was COLOUR yesterday": 2,
}
CLASSES = {
    "ACTION": "bring find take show open wash move paint carry hide lift clean",
    "COLOUR": "red green yellow black white purple silver orange",
    "THING": (
        "table bottle window basket ladder hammer candle pillow mirror bucket carpet "
        "blanket jacket guitar cushion suitcase"
    ),
    "PLURAL": (
        "apples spoons tickets letters flowers pencils cookies buttons melons envelopes"
    ),
    "NUMBER": "three four five six seven nine ten eleven twelve twenty thirty",
    "PLACE": "under behind beside above",
    "SWITCH": "on off",
    "DEVICE": "light heater radio camera fan computer television",
    "ROOM": "kitchen garden office bathroom garage cellar bedroom",
    "NAME": "martin julia peter susan oliver hannah victor emma charlotte benjamin",
    "DIRECTION": "left right forward back",
    "DAYTIME": "tomorrow tonight again now",
}
NUM_SPEAKERS = {"test": 8, "dev": 8, "train": 48}


def draw_sentence(generator: random.Random) -> str:
    """Draw a pattern and fill its classes; no class repeats a word in a sentence."""
    pattern = generator.choices(list(PATTERNS), weights=list(PATTERNS.values()))[0]
    words: list[str] = []
    for slot in pattern.split():
        choices = CLASSES.get(slot, slot).split()
        words.append(
            generator.choice([word for word in choices if word not in words])
            if slot in CLASSES
            else slot
        )
    return " ".join(words).upper()


def draw_sentences(count: int, generator: random.Random, said: set[str]) -> list[str]:
    """Draw sentences that are not in ``said``, and add them to it."""
    sentences: list[str] = []
    while len(sentences) < count:
        sentence = draw_sentence(generator)
        if sentence not in said:
            said.add(sentence)
            sentences.append(sentence)
    return sentences


def plan(sizes: dict[str, int], seed: int) -> dict[str, list[Sentence]]:
    """Decide who says what in each set; set by set in the order of NUM_SPEAKERS."""
    voices = iter(draw_voices(sum(NUM_SPEAKERS.values()), seed=seed))
    said: set[str] = set()
    corpus = {}
    for name, num_speakers in NUM_SPEAKERS.items():
        speakers: list[Voice] = [next(voices) for _ in range(num_speakers)]
        texts = draw_sentences(sizes[name], random.Random(f"{seed} {name}"), said)
        corpus[name] = [
            Sentence(f"{voice.speaker}-{name}{index:05d}", text, voice)
            for index, text in enumerate(texts)
            for voice in [speakers[index % num_speakers]]
        ]
    return corpus


def main() -> None:
    """Read the options, speak the sentences and write the data directories."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="receives train, dev, test and audio")
    parser.add_argument("--num-train", type=int, default=1200, help="utterances")
    parser.add_argument("--num-dev", type=int, default=100, help="utterances")
    parser.add_argument("--num-test", type=int, default=100, help="utterances")
    parser.add_argument("--seed", type=int, default=0, help="voices and sentences")
    parser.add_argument("--num-jobs", type=int, default=2, help="processes")
    args = parser.parse_args()
    sizes = {"train": args.num_train, "dev": args.num_dev, "test": args.num_test}
    try:
        for name, sentences in plan(sizes, args.seed).items():
            folder = args.data / "audio" / name
            paths = speak_all(sentences, folder, num_jobs=args.num_jobs)
            utterances = [
                Utterance(item.utterance, item.voice.speaker, str(path), item.text)
                for item, path in zip(sentences, paths, strict=True)
            ]
            write_data_dir(args.data / name, utterances)
            minutes = sum(check_audio(args.data / name).values()) / 16000 / 60
            print(f"{args.data / name}: {len(paths)} utterances, {minutes:.1f} minutes")
    except ValueError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
