"""Make data/qbe: find spoken words of Speech Commands in sentences of LibriSpeech.

Nothing is trained, so there are dev and test only, with other speakers of both corpora.
A query occurs in a sentence whose transcript has its word.
"""

import argparse
from pathlib import Path

from prepare_keywords import sets_of
from splits import hold_out, shuffled, write_task

from pruneasr.data.datadir import Utterance, write_table
from pruneasr.data.manifest import ManifestRow, read_manifest
from pruneasr.errors import in_a_line


def queries_of(keywords: list[Utterance], per_word: int) -> list[Utterance]:
    """Return some utterances of each keyword, their texts in capitals."""
    chosen: list[Utterance] = []
    by_name = {item.utterance: item for item in keywords}
    for word in sorted({item.text or "" for item in keywords}):
        names = shuffled(i.utterance for i in keywords if i.text == word)[:per_word]
        chosen += [
            Utterance(name, by_name[name].speaker, by_name[name].audio, word.upper())
            for name in names
        ]
    return chosen


def documents_of(
    rows: list[ManifestRow], corpus: Path, speakers: set[str], most: int
) -> list[Utterance]:
    """Return some sentences of some speakers."""
    by_path = {row.path: row for row in rows if row.speaker in speakers}
    return [
        Utterance(
            f"{by_path[path].speaker}-{Path(path).stem}",
            by_path[path].speaker,
            str(corpus / path),
            by_path[path].text,
        )
        for path in shuffled(by_path)[:most]
    ]


@in_a_line
def main() -> None:
    """Read the options and write the sets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "commands", type=Path, help="Speech Commands, with manifest.tsv"
    )
    parser.add_argument("librispeech", type=Path, help="LibriSpeech, with manifest.tsv")
    parser.add_argument("output", type=Path, help="data/qbe")
    parser.add_argument("--per-word", type=int, default=6, help="queries of a word")
    parser.add_argument("--documents", type=int, default=150, help="of a set")
    args = parser.parse_args()
    keywords = sets_of(args.commands)
    rows = read_manifest(args.librispeech)
    speakers = {row.speaker for row in rows}
    readers = hold_out(speakers, len(speakers) // 2, (len(speakers) - 1) // 2)
    queries, sets = {}, {}
    for name in ("dev", "test"):
        queries[name] = queries_of(keywords[name], args.per_word)
        documents = documents_of(rows, args.librispeech, readers[name], args.documents)
        sets[name] = [*queries[name], *documents]
    about = (
        "keywords of Speech Commands searched in LibriSpeech train-clean-5, test: "
        f"{len(queries['test'])} queries, "
        f"{len(sets['test']) - len(queries['test'])} documents"
    )
    write_task(args.output, [sets], about)
    for name, items in queries.items():
        path = args.output / "split1" / name / "queries"
        write_table(path, {item.utterance: "" for item in items})


if __name__ == "__main__":
    main()
