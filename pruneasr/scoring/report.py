"""Write what was counted: rows of RESULTS.md, result.txt and a JSON file.

result.txt begins with the line that ESPnet's show_asr_result.sh looks for, then shows
every utterance that has an error, reference above hypothesis.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from pruneasr.data.datadir import read_table
from pruneasr.data.text import BPE, CHAR, WORD, Splitter, make_splitter
from pruneasr.files import write_atomic
from pruneasr.scoring.errors import AlignedUtterance, Score, score

RATES = {WORD: "wer", CHAR: "cer", BPE: "ter"}
"""What an error rate is called, by the tokens that it counts."""


def results_header(columns: Iterable[str]) -> str:
    """Return the head of a table of ``results_row`` lines, ESPnet's for error rates."""
    names = list(columns)
    return f"|{'|'.join(['dataset', *names])}|\n|{'---|' * (len(names) + 1)}\n"


def results_row(dataset: str, columns: Mapping[str, float]) -> str:
    """Format one row of RESULTS.md: counts as they are, rates with one decimal.

    Args:
        dataset: First column.
        columns: As returned by ``Score.columns`` or read from score_wer.json.
    """
    return f"|{dataset}|{'|'.join(_format(columns))}|\n"


def _format(columns: Mapping[str, float]) -> list[str]:
    return [
        str(value) if name in ("Snt", "Wrd") else f"{value:.1f}"
        for name, value in columns.items()
    ]


def format_result(dataset: str, result: Score) -> str:
    """Return the text of result.txt: the summary, then the utterances with errors."""
    columns = result.columns()
    numbers = _format(columns)
    lines = [
        f"{dataset}: {result.num_tokens} in the references",
        f"correct {result.hits}, substituted {result.substitutions}",
        f"deleted {result.deletions}, inserted {result.insertions}",
        f"| SPKR    | {' '.join(columns)} |",
        f"| Sum/Avg | {' '.join(numbers[:2])} | {' '.join(numbers[2:])} |",
        "",
    ]
    wrong = [item for item in result.utterances if item.num_errors]
    lines += [f"{len(wrong)} of {numbers[0]} utterances have errors", ""]
    lines += [line for item in wrong for line in _format_alignment(item)]
    return "\n".join(lines) + "\n"


def _format_alignment(item: AlignedUtterance) -> list[str]:
    rows = (item.reference, item.hypothesis, item.marks)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    texts = [
        " ".join(word.ljust(width) for word, width in zip(row, widths, strict=True))
        for row in rows
    ]
    counts = {mark: item.marks.count(mark) for mark in "SDI"}
    return [
        f"id: {item.utterance} (S {counts['S']}, D {counts['D']}, I {counts['I']})",
        *(
            f"{name} {text}".rstrip()
            for name, text in zip(("REF:", "HYP:", "    "), texts, strict=True)
        ),
        "",
    ]


def _make_splitter(token_type: str, model: Path | None) -> Splitter:
    try:
        return make_splitter(token_type, model)
    except RuntimeError as error:  # of SentencePiece
        raise ValueError(
            f"expected a SentencePiece model at {model}, found a file that is none: "
            f"{error}"
        ) from error


def score_files(
    ref: Path,
    hyp: Path,
    output: Path,
    *,
    dataset: str,
    bpe_model: Path | None = None,
) -> dict[str, dict[str, float]]:
    """Score two Kaldi ``text`` files; write score_*/result.txt and score_*.json.

    Args:
        ref: Transcripts, ``utterance words ...``.
        hyp: Recognised text of the same utterances.
        output: Folder that receives score_wer/, score_wer.json and so on.
        dataset: What the results are called in the first column.
        bpe_model: SentencePiece model; with it pieces are scored too (TER).

    Returns:
        The columns of each rate: ``{"wer": {"Snt": ..., "Err": ...}, "cer": ...}``.

    Raises:
        ValueError: A file is missing or broken, the model is none, or the files name
            other utterances.
    """
    references, hypotheses = read_table(ref), read_table(hyp)
    results = {}
    for token_type, rate in RATES.items():
        if token_type == BPE and bpe_model is None:
            continue
        splitter = _make_splitter(token_type, bpe_model if token_type == BPE else None)
        result = score(references, hypotheses, splitter)
        directory = output / f"score_{rate}"
        directory.mkdir(parents=True, exist_ok=True)
        results[rate] = result.columns()
        write_atomic(directory / "result.txt", format_result(dataset, result))
        write_atomic(
            output / f"score_{rate}.json", json.dumps(results[rate], indent=2) + "\n"
        )
    return results
