"""How results came about: what was called, and with which versions."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch


def read_calls(path: Path) -> list[str]:
    """Return each call once, oldest first, of a file that the recipe's note_call wrote.

    Raises:
        ValueError: if there is no such file.
    """
    if not path.exists():
        raise ValueError(f"expected {path}, where the recipe notes its calls; run it")
    return list(dict.fromkeys(path.read_text(encoding="utf-8").splitlines()))


def environment_section(commands: Sequence[str]) -> str:
    """Return what was called, and with which versions this is written."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parent,
        )
        return done.stdout.strip()

    dirty = " with local changes" if git("status", "--porcelain", "-uno") else ""
    commit = git("rev-parse", "--short", "HEAD") or "none"
    facts = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit of this report": commit + dirty,
        "python": sys.version.split()[0],
        "espnet": _espnet(),
        "pytorch": torch.__version__,
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
    }
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    called = "\n".join(["```", *commands, "```"])
    return f"## Environment\n\n{called}\n\n" + "\n".join(lines) + "\n"


def _espnet() -> str:
    try:
        return version("espnet")
    except PackageNotFoundError:  # who measures encoders needs none
        return "none"
