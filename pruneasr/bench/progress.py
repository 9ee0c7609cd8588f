"""Says on the standard error what is measured, and how long the rest will take."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Progress:
    """Runs one measurement after the other."""

    def __init__(self, expected_sec: float) -> None:
        """Begin.

        Args:
            expected_sec: guess of the seconds of all measurements together; the time
                left is corrected by what the measurements so far have taken.
        """
        self.expected_sec = expected_sec
        self.done_sec = 0.0
        self.start = time.monotonic()

    def run(self, name: str, expected_sec: float, call: Callable[[], T]) -> T:
        """Return what a measurement returns, of which some seconds are expected."""
        print(f"{name} ...", end=" ", file=sys.stderr, flush=True)
        start = time.monotonic()
        result = call()
        now = time.monotonic()
        self.done_sec += expected_sec
        slower = (now - self.start) / self.done_sec
        left = max(0.0, self.expected_sec - self.done_sec) * slower / 60
        print(f"{now - start:.0f} s, {left:.0f} min left", file=sys.stderr, flush=True)
        return result
