"""What a user can mend is said in a line, without a traceback."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

Arguments = ParamSpec("Arguments")
MENDABLE = (OSError, ValueError)
"""Files that are not there, a full disk, options that make no sense."""


def in_a_line(main: Callable[Arguments, None]) -> Callable[Arguments, None]:
    """Let a program end with status 1 and the message of what a user can mend."""

    @functools.wraps(main)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        try:
            main(*args, **kwargs)
        except MENDABLE as error:
            logging.debug("where it was raised", exc_info=True)
            program = Path(sys.argv[0]).stem
            print(f"{program}: {str(error) or repr(error)}", file=sys.stderr)
            sys.exit(1)

    return wrapped
