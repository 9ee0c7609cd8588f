"""Fine-tuning by ESPnet's own tasks, which may be stopped and killed anywhere."""

from __future__ import annotations

from espnet2.tasks.asr import ASRTask
from espnet2.tasks.slu import SLUTask

from pruneasr.espnet.named_task import NamedTask, by_name


class ASRTuneTask(NamedTask, ASRTask):
    """Trains speech recognition."""

    name = "asr"


class SLUTuneTask(NamedTask, SLUTask):
    """Trains spoken language understanding."""

    name = "slu"


TASKS = by_name(ASRTuneTask, SLUTuneTask)
