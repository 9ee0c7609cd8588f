"""Make data/sv: are two keywords of Speech Commands of the same speaker?

The sets are those of keyword spotting, so speakers are apart; the text is the speaker.
dev and test have a list of trials, as many with one speaker as with two.
"""

import argparse
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from prepare_keywords import sets_of
from splits import shuffled, write_task

from pruneasr.data.datadir import Utterance
from pruneasr.errors import in_a_line
from pruneasr.files import write_atomic
from pruneasr.superb.evaluate import OTHER, TARGET

JUDGED = ("dev", "test")


def trials_of(utterances: Sequence[Utterance], limit: int) -> list[str]:
    """Return lines of ``utterance utterance target|nontarget``.

    Args:
        utterances: Of a set.
        limit: At most so many of each kind.
    """
    pairs: dict[str, list[str]] = {TARGET: [], OTHER: []}
    for first, second in combinations(utterances, 2):
        kind = TARGET if first.speaker == second.speaker else OTHER
        pairs[kind].append(f"{first.utterance} {second.utterance}")
    count = min(limit, *map(len, pairs.values()))
    return [
        f"{pair} {kind}" for kind in pairs for pair in shuffled(pairs[kind])[:count]
    ]


@in_a_line
def main() -> None:
    """Read the options and write the sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="folder that holds manifest.tsv")
    parser.add_argument("output", type=Path, help="data/sv")
    parser.add_argument("--num-trials", type=int, default=2000, help="of each kind")
    args = parser.parse_args()
    sets = {
        name: [
            Utterance(item.utterance, item.speaker, item.audio, item.speaker)
            for item in items
        ]
        for name, items in sets_of(args.corpus).items()
    }
    trials = {name: trials_of(sets[name], args.num_trials) for name in JUDGED}
    num_speakers = [
        str(len({item.speaker for item in sets[name]}))
        for name in ("train", "dev", "test")
    ]
    about = (
        "Speech Commands excerpt, keywords of a second or less, "
        f"{' / '.join(num_speakers)} speakers, {len(trials['test'])} trials"
    )
    write_task(args.output, [sets], about)
    for name in JUDGED:
        path = args.output / "split1" / name / "trials"
        write_atomic(path, "\n".join(trials[name]) + "\n")


if __name__ == "__main__":
    main()
