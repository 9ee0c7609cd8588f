"""Diarisation error rate by pyannote.metrics, over all recordings of a set.

DER = (missed speech + false alarms + speech of the wrong speaker) / speech, each in
seconds and speaker by speaker, so that overlapped speech counts for both; speakers are
matched so that this is smallest. SUPERB scores with dscore, whose collar is 0.
"""

from __future__ import annotations

from collections.abc import Mapping

from pruneasr.scoring.errors import check_same_utterances
from pruneasr.superb.segments import Segment


def require_pyannote() -> None:
    """Refuse to begin what cannot be scored in the end.

    Raises:
        ValueError: pyannote.metrics is missing.
    """
    try:
        import pyannote.metrics  # noqa: F401, only to see whether it is there
    except ImportError as error:
        raise ValueError(
            f"diarisation is scored by pyannote.metrics, which is missing ({error}); "
            "install it: python -m pip install pyannote.metrics"
        ) from error


def diarization_error_rate(
    references: Mapping[str, list[Segment]],
    hypotheses: Mapping[str, list[Segment]],
    *,
    collar: float = 0.0,
) -> float:
    """Return the diarisation error rate in percent.

    Args:
        references: Segments of every recording.
        hypotheses: Segments of the same recordings; the names of speakers are free.
        collar: Seconds before and after each reference boundary that do not count;
            NIST's evaluations take 0.25.

    Raises:
        ValueError: The two do not have the same recordings, nobody speaks, or
            pyannote.metrics is missing.
    """
    check_same_utterances(references, hypotheses)
    require_pyannote()
    from pyannote.core import Annotation, Timeline
    from pyannote.core import Segment as Span
    from pyannote.metrics.diarization import DiarizationErrorRate

    def annotation(segments: list[Segment]) -> Annotation:
        result = Annotation()
        for track, segment in enumerate(segments):
            result[Span(segment.start, segment.end), track] = segment.speaker
        return result

    if not any(references.values()):
        raise ValueError("expected references with speech, found none")
    # pyannote's collar is the whole width that is left out around a boundary
    metric = DiarizationErrorRate(collar=2 * collar, skip_overlap=False)
    for name in references:
        both = [*references[name], *hypotheses[name]]
        whole = Timeline([Span(0, max((s.end for s in both), default=0))])
        metric(annotation(references[name]), annotation(hypotheses[name]), uem=whole)
    return float(100 * abs(metric))
