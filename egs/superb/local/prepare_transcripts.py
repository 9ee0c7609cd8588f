"""Make data/asr or data/pr of the data directories of AN4: words, or their phones.

Speakers are apart. A word with several pronunciations takes the first of the lexicon,
as LibriSpeech's words do in SUPERB.
"""

import argparse
from pathlib import Path

from splits import sizes, write_task

from pruneasr.data.audio import raise_problems
from pruneasr.data.datadir import Utterance, read_data_dir
from pruneasr.errors import in_a_line


def read_lexicon(path: Path) -> dict[str, str]:
    """Read lines of ``WORD PHONE ...``; a further one of a word is ``WORD(2)``.

    Raises:
        ValueError: The file is missing.
    """
    if not path.is_file():
        raise ValueError(f"expected a pronouncing dictionary at {path}, found none")
    lexicon: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *phones = line.split()
        lexicon.setdefault(word, " ".join(phones))
    return lexicon


def pronounced(utterances: list[Utterance], lexicon: dict[str, str]) -> list[Utterance]:
    """Return the utterances with phones as texts.

    Raises:
        ValueError: A word is not in the lexicon; the message lists them all.
    """
    problems = [
        f"{item.utterance}: {word} is not in the lexicon"
        for item in utterances
        for word in (item.text or "").split()
        if word not in lexicon
    ]
    raise_problems("words", problems, len(utterances))
    return [
        Utterance(
            item.utterance,
            item.speaker,
            item.audio,
            " ".join(lexicon[word] for word in (item.text or "").split()),
        )
        for item in utterances
    ]


@in_a_line
def main() -> None:
    """Read the options and write the sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=("asr", "pr"))
    parser.add_argument("source", type=Path, help="holds train, dev and test")
    parser.add_argument("lexicon", type=Path, help="an4.dic; for pr")
    parser.add_argument("output", type=Path, help="data/asr or data/pr")
    args = parser.parse_args()
    sets = {n: read_data_dir(args.source / n) for n in ("train", "dev", "test")}
    units = "words"
    if args.task == "pr":
        lexicon = read_lexicon(args.lexicon)
        sets = {name: pronounced(items, lexicon) for name, items in sets.items()}
        units = f"phones of its lexicon ({args.lexicon.name})"
    write_task(args.output, [sets], f"AN4, {units}, {sizes(sets)}")


if __name__ == "__main__":
    main()
