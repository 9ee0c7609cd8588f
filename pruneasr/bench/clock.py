"""Where the time goes: seconds by part, taken while a program runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pruneasr.bench.timing import synchronize


class Clock:
    """Charges time to the part that was entered last and not yet left.

    A part inside another is taken out of it, so that the parts add up to the whole.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: list[str] = []
        self._since = 0.0

    def enter(self, part: str) -> None:
        """Begin a part, within the one that is open."""
        self._charge()
        self._open.append(part)

    def leave(self) -> None:
        """End the part that was entered last."""
        self._charge()
        self._open.pop()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Charge what happens inside to a part."""
        self.enter(name)
        yield
        self.leave()

    def inside(self, part: str) -> bool:
        """Return whether a part is open."""
        return part in self._open

    def take(self) -> dict[str, float]:
        """Return the seconds of every part so far, and begin anew."""
        seconds, self.seconds = self.seconds, {}
        return seconds

    def _charge(self) -> None:
        synchronize()
        now = time.perf_counter()
        if self._open:
            part = self._open[-1]
            self.seconds[part] = self.seconds.get(part, 0.0) + now - self._since
        self._since = now
