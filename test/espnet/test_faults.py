"""Trainings that are killed and stopped end as if nothing had been."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest


@pytest.mark.integration
@pytest.mark.timeout(1200)
def test_nothing_is_lost():
    table = Path(__file__).with_name("fault_table.py")
    done = subprocess.run(
        [sys.executable, str(table)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    lines = done.stdout.splitlines()  # libraries print there too
    rows = [row.strip("| ").split(" | ") for row in lines if row.startswith("| SIG")]
    assert all(lost == "nothing" for _, _, lost in rows)
    injected = Counter()
    for fault, number, _ in rows:
        injected[fault.split(",")[0]] += int(number)
    two = "in one of two processes"
    assert injected["SIGKILL"] == 20
    assert injected["SIGTERM"] == injected["SIGUSR1"] == 4
    assert injected[f"SIGTERM {two}"] == injected[f"SIGUSR1 {two}"] == 1
    hit = {fault for fault, _, _ in rows}
    for moment in ("training", "validation", "writing a checkpoint"):
        assert f"SIGKILL, {moment}" in hit
