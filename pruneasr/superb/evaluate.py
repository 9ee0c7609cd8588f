"""The metrics of each task, from a data directory and predictions.

Predictions are a table ``utterance value`` like every other; what the value is depends
on the task. The first metric of a task decides on the development set. All are
percentages.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pruneasr.data.datadir import read_table
from pruneasr.scoring.errors import check_same_utterances
from pruneasr.superb.metrics.accuracy import accuracy
from pruneasr.superb.metrics.diarization import diarization_error_rate
from pruneasr.superb.metrics.eer import equal_error_rate
from pruneasr.superb.metrics.errors import character_error_rate, word_error_rate
from pruneasr.superb.metrics.mtwv import maximum_term_weighted_value
from pruneasr.superb.metrics.slots import slot_type_f1, slot_value_cer
from pruneasr.superb.segments import parse_segments

Metrics = dict[str, float]
Predictions = Mapping[str, str]

COLLAR_SEC = 0.25
"""NIST's collar, for the second DER; SUPERB's own has none."""

TARGET, OTHER = "target", "nontarget"


def read_texts(data: Path) -> dict[str, str]:
    """Return the references of a data directory.

    Raises:
        ValueError: ``text`` is missing or empty.
    """
    texts = read_table(data / "text")
    if not texts:
        raise ValueError(f"{data / 'text'}: expected references, found none")
    return texts


def read_trials(path: Path) -> list[tuple[str, str, bool]]:
    """Read lines of ``utterance utterance target|nontarget``.

    Raises:
        ValueError: The file is missing or a line has another form.
    """
    if not path.is_file():
        raise ValueError(f"expected trials of verification at {path}, found none")
    trials = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        words = line.split()
        if len(words) != 3 or words[2] not in (TARGET, OTHER):
            raise ValueError(
                f"{path}:{number}: expected `utterance utterance {TARGET}|{OTHER}`, "
                f"found {line!r}"
            )
        trials.append((words[0], words[1], words[2] == TARGET))
    return trials


def read_queries(data: Path) -> tuple[list[str], dict[str, set[str]]]:
    """Return the queries of a search set, and the documents with what occurs in each.

    A query occurs in a document whose words hold the query's words in a row. The file
    ``queries`` lists the utterances that are queries; the others are documents.

    Raises:
        ValueError: A query has no text, or there are no documents.
    """
    texts = read_texts(data)
    queries = list(read_table(data / "queries"))
    unknown = [name for name in queries if not texts.get(name)]
    documents = [name for name in texts if name not in set(queries)]
    if unknown or not documents:
        raise ValueError(
            f"{data}: expected a text for every query, and documents; found none for "
            f"{unknown[:5]}, and {len(documents)} documents"
        )
    return queries, {
        document: {q for q in queries if f" {texts[q]} " in f" {texts[document]} "}
        for document in documents
    }


def evaluate_pr(data: Path, predictions: Predictions) -> Metrics:
    """Return the phone error rate."""
    return {"pr_per": word_error_rate(read_texts(data), predictions)}


def evaluate_asr(data: Path, predictions: Predictions) -> Metrics:
    """Return the word and the character error rate."""
    texts = read_texts(data)
    return {
        "asr_wer": word_error_rate(texts, predictions),
        "asr_cer": character_error_rate(texts, predictions),
    }


def evaluate_sf(data: Path, predictions: Predictions) -> Metrics:
    """Return slot type F1 and slot value CER."""
    texts = read_texts(data)
    return {
        "sf_f1": slot_type_f1(texts, predictions),
        "sf_cer": slot_value_cer(texts, predictions),
    }


def evaluate_labels(data: Path, predictions: Predictions, *, metric: str) -> Metrics:
    """Return the accuracy of labels, all parts right, by the name of a metric."""
    return {metric: accuracy(read_texts(data), predictions)}


def evaluate_sv(data: Path, predictions: Predictions) -> Metrics:
    """Return the equal error rate of the cosines of embeddings, over ``trials``."""
    check_same_utterances(read_texts(data), predictions)
    vectors = {
        name: np.array(value.split(), dtype=float)
        for name, value in predictions.items()
    }
    unit = {
        name: v / max(float(np.linalg.norm(v)), 1e-9) for name, v in vectors.items()
    }
    trials = read_trials(data / "trials")
    unknown = {name for a, b, _ in trials for name in (a, b)} - unit.keys()
    if unknown:
        raise ValueError(
            f"{data / 'trials'}: expected utterances of {data / 'text'}, found "
            f"{sorted(unknown)[:5]}"
        )
    scores = [float(unit[a] @ unit[b]) for a, b, _ in trials]
    return {"sv_eer": equal_error_rate([target for _, _, target in trials], scores)}


def evaluate_sd(data: Path, predictions: Predictions) -> Metrics:
    """Return the diarisation error rate without collar, as SUPERB's, and with one."""
    references = {n: parse_segments(text) for n, text in read_texts(data).items()}
    hypotheses = {n: parse_segments(text) for n, text in predictions.items()}
    return {
        "sd_der": diarization_error_rate(references, hypotheses),
        "sd_der_collar": diarization_error_rate(
            references, hypotheses, collar=COLLAR_SEC
        ),
    }


def evaluate_qbe(data: Path, predictions: Predictions) -> Metrics:
    """Return the MTWV times 100; a prediction is ``document:score ...`` of a query."""
    queries, documents = read_queries(data)
    check_same_utterances(dict.fromkeys(queries), predictions)
    trials = {}
    for query in queries:
        pairs = [word.rpartition(":") for word in predictions[query].split()]
        trials[query] = [(float(s), query in documents[name]) for name, _, s in pairs]
    return {"qbe_mtwv": 100 * maximum_term_weighted_value(trials)}
