"""Make data/{train,devel,test} of SLURP: one utterance per real recording."""

import argparse
from pathlib import Path

from slurp_layout import audio_folder, text_folder
from slurp_text import read_sentences

from pruneasr.data.audio import raise_problems
from pruneasr.data.datadir import Utterance
from pruneasr.data.sets import write_checked
from pruneasr.errors import in_a_line

# Real recordings (Bastianelli et al. 2020, table 2)
NUM_RECORDINGS = {"train": 50628, "devel": 8690, "test": 13078}


def read_set(corpus: Path, name: str, expected: int | None) -> list[Utterance]:
    """Return the utterances of one set; each recording is its own speaker.

    Raises:
        ValueError: Annotations are broken, recordings are missing, or there are not as
            many as expected.
    """
    utterances, problems = [], []
    audio = audio_folder(corpus) / "slurp_real"
    for sentence in read_sentences(text_folder(corpus) / f"{name}.jsonl"):
        for recording in sentence.recordings:
            path = audio / recording
            # a speaker id holds no hyphen; audio-1-2 and audio--1-2 are two names
            speaker = path.stem.replace("-", "_")
            if not path.is_file():
                problems.append(f"{path}: expected the recording, found none")
            utterances.append(Utterance(speaker, speaker, str(path), sentence.text))
    raise_problems(f"{audio}: audio", problems, len(utterances))
    if len(utterances) != (expected or len(utterances)):
        raise ValueError(
            f"{corpus}: expected {expected} recordings of {name}, found "
            f"{len(utterances)}; the copy is not whole"
        )
    return utterances


@in_a_line
def main() -> None:
    """Read the options and write the sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path, help="text and recordings")
    parser.add_argument("data", type=Path, help="receives train, devel, test")
    parser.add_argument("--check-counts", choices=("true", "false"), default="true")
    args = parser.parse_args()
    for name, count in NUM_RECORDINGS.items():
        expected = count if args.check_counts == "true" else None
        write_checked(args.data / name, read_set(args.corpus, name, expected))


if __name__ == "__main__":
    main()
