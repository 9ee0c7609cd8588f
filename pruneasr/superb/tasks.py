"""The ten tasks: head, metrics, and which way is up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pruneasr.superb import evaluate
from pruneasr.superb.probes.ctc import FrameCTC, RecurrentCTC, TaggedCTC
from pruneasr.superb.probes.diarization import Diarizer
from pruneasr.superb.probes.probe import Probe
from pruneasr.superb.probes.speaker import XVector
from pruneasr.superb.probes.utterance import UtteranceProbe


@dataclass(frozen=True)
class Task:
    """One task of SUPERB.

    Attributes:
        title: What it is called.
        probe: Its head; None where nothing is trained.
        evaluate: Metrics of a data directory and predictions; the first one decides.
        higher_is_better: Of the metric that decides.
        splits: Its score is the mean over so many.
    """

    title: str
    probe: type[Probe] | None
    evaluate: Callable[[Path, Mapping[str, str]], dict[str, float]]
    higher_is_better: bool
    splits: int = 1

    def better(self, first: float, second: float) -> bool:
        """Return whether the first value is better than the second."""
        return first > second if self.higher_is_better else first < second


def _classification(title: str, metric: str, splits: int = 1) -> Task:
    judge = partial(evaluate.evaluate_labels, metric=metric)
    return Task(title, UtteranceProbe, judge, True, splits)


TASKS = {
    "ks": _classification("keyword spotting", "ks_acc"),
    "ic": _classification("intent classification", "ic_acc"),
    "pr": Task("phone recognition", FrameCTC, evaluate.evaluate_pr, False),
    "asr": Task("speech recognition", RecurrentCTC, evaluate.evaluate_asr, False),
    "er": _classification("emotion recognition", "er_acc", splits=5),
    "qbe": Task("query by example", None, evaluate.evaluate_qbe, True),
    "sf": Task("slot filling", TaggedCTC, evaluate.evaluate_sf, True),
    "sid": _classification("speaker identification", "sid_acc"),
    "sv": Task("speaker verification", XVector, evaluate.evaluate_sv, False),
    "sd": Task("speaker diarisation", Diarizer, evaluate.evaluate_sd, False),
}
"""In the order of [W23] Table 1, as all tables have them."""
