"""The scripts of tools/ that check and activate an environment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECK = ROOT / "tools/check_install.py"


def run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with variables added to the environment."""
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def bare_python(tmp_path: Path) -> Path:
    """An environment of this Python in which nothing is installed."""
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True
    )
    return tmp_path / "bare/bin/python"


def test_check_install_prints_the_versions_of_a_ready_environment() -> None:
    answer = run(sys.executable, CHECK, "train", "test")
    assert answer.returncode == 0, answer.stderr
    names = [line.split()[0] for line in answer.stdout.splitlines()]
    assert {"python", "torch", "torchaudio", "espnet", "pytest"} <= set(names)


def test_check_install_names_what_is_missing_and_the_command(bare_python: Path) -> None:
    answer = run(bare_python, CHECK, "train")
    assert answer.returncode == 1
    assert "packaging is missing" in answer.stderr
    assert f"{bare_python} -m pip install -c" in answer.stderr
    assert f"-e '{ROOT}[train]'" in answer.stderr


def test_check_install_refuses_an_unknown_extra() -> None:
    answer = run(sys.executable, CHECK, "speech")
    assert answer.returncode == 2
    assert "unknown extra speech; known: train, test" in answer.stderr


def test_setup_env_checks_the_given_python_and_installs_nothing(
    bare_python: Path,
) -> None:
    answer = run(ROOT / "tools/setup_env.sh", PRUNEASR_PYTHON=str(bare_python))
    assert answer.returncode == 1
    assert "this interpreter is not ready" in answer.stderr
    assert not list(bare_python.parents[1].glob("lib/*/site-packages/*"))


def test_setup_env_refuses_a_python_that_is_not_its_folder_s(tmp_path: Path) -> None:
    impostor = tmp_path / "python"
    impostor.write_text("#!/bin/sh\necho other\n")
    impostor.chmod(0o755)
    real = tmp_path / "mine"
    real.write_text(f'#!/bin/sh\ncase "$2" in *dirname*) echo {tmp_path};; esac\n')
    real.chmod(0o755)
    answer = run(ROOT / "tools/setup_env.sh", PRUNEASR_PYTHON=str(real))
    assert answer.returncode == 1
    assert f"expected {impostor} to be PRUNEASR_PYTHON={real}" in answer.stderr


def test_setup_env_says_that_an_interpreter_does_not_run(tmp_path: Path) -> None:
    answer = run(ROOT / "tools/setup_env.sh", PRUNEASR_PYTHON=str(tmp_path / "none"))
    assert answer.returncode == 1
    assert "does not run; name a Python interpreter" in answer.stderr


def test_activate_puts_the_environment_first_once() -> None:
    show = 'printf "%s\\n" "$PATH" "$PYTHONPATH" "$NLTK_DATA"; command -v python'
    source = f". {ROOT}/tools/activate.sh"
    answer = run(
        "bash",
        "-euc",
        f"{source}; {source}; {show}",
        PRUNEASR_PYTHON=sys.executable,
        PATH=os.defpath,
        PYTHONPATH="/first",
        NLTK_DATA="/mine",
    )
    path, pythonpath, nltk_data, python = answer.stdout.splitlines()
    folder = Path(sys.executable).parent
    assert path == f"{folder}:{os.defpath}"
    assert pythonpath == f"{ROOT}:/first"
    assert nltk_data == f"/mine:{ROOT}/tools/nltk_data"
    assert python == f"{folder}/python"


def test_activate_without_an_environment_says_what_to_call(tmp_path: Path) -> None:
    answer = run(
        "bash",
        "-ec",
        f". {ROOT}/tools/activate.sh",
        PRUNEASR_PYTHON=str(tmp_path / "none"),
    )
    assert answer.returncode == 1
    assert "call tools/setup_env.sh first" in answer.stderr
