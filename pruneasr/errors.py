"""What a user can mend is said in a line, without a traceback."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

Arguments = ParamSpec("Arguments")


def in_a_line(main: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Let a program end with status 1 and the message of a ValueError."""
    program = Path(inspect.getfile(main)).stem

    @functools.wraps(main)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            main(*args, **kwargs)
        except ValueError as error:
            print(f"{program}: {error}", file=sys.stderr)
            sys.exit(1)

    return wrapped
