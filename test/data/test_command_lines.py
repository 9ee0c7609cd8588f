"""The programs that check data and make tokens, as a user starts them."""

import subprocess
import sys

import pytest


def run(module, *options):
    return subprocess.run(
        [sys.executable, "-m", f"pruneasr.bin.{module}", *map(str, options)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_tokens_then_check(write_audio, write_tables, tmp_path):
    directory = write_tables(
        text={"a": "YES", "b": "NO"},
        wav_scp={"a": write_audio("a.flac"), "b": write_audio("b.flac")},
    )
    made = run(
        *("tokens", "--text", directory / "text", "--token-type", "char"),
        *("--output", tmp_path / "tokens"),
    )
    assert made.stdout == f"{tmp_path}/tokens/tokens.txt: 8 tokens\n"
    checked = run("check_data", directory, "--tokens", tmp_path / "tokens")
    assert checked.returncode == 0
    assert f"{directory}: 2 utterances, 0.00 h\n" in checked.stdout
    assert f"{directory}: 5 tokens, all in " in checked.stdout

    (directory / "text").write_text("a YES\nb NEIN\n")
    refused = run("check_data", directory, "--tokens", tmp_path / "tokens")
    assert refused.returncode == 1
    assert "b ('NEIN'): expected tokens of the list, found ['I']" in refused.stderr
    assert "Traceback" not in refused.stderr

    warned = run(
        *("check_data", directory, "--tokens", tmp_path / "tokens", "--allow-unknown")
    )
    assert warned.returncode == 0
    assert f"{directory}: 7 tokens, all but 1 in " in warned.stdout
    assert warned.stderr == f"{directory}: WARNING: read as <unk>: 'I' (1)\n"


def test_labels_are_checked_in_all_directories(write_tables):
    directory = write_tables(text={"a": "set time:at noon", "b": "stop"})
    checked = run("check_labels", directory, "--slots", "date", "time")
    assert checked.returncode == 0
    assert checked.stdout == f"{directory}: 2 labels, 2 intents, slots: time (1)\n"
    refused = run("check_labels", directory, "--slots", "date")
    assert refused.returncode == 1
    assert "a: unknown slot: expected one of ['date'], found 'time'" in refused.stderr
    (directory / "text").write_text("a set time:at 7:30\nb stop\n")
    broken = run("check_labels", directory)
    assert broken.returncode == 1
    assert "labels of 1 of 2" in broken.stderr
    assert "a: unknown slot: expected a letter first, found '7'" in broken.stderr
    assert "Traceback" not in broken.stderr


@pytest.mark.parametrize("module", ["check_data", "check_labels", "tokens", "score"])
def test_help_and_unknown_options(module):
    assert f"usage: python -m pruneasr.bin.{module}" in run(module, "--help").stdout
    unknown = run(module, "--no-such-option", "1")
    assert unknown.returncode == 2


def test_programs_do_not_wait_for_espnet_or_torch():
    code = (
        "import sys, pruneasr.bin.check_data, pruneasr.bin.check_labels;"
        "import pruneasr.bin.tokens, pruneasr.bin.score;"
        "print(sorted({'torch', 'espnet2', 'espnet'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
