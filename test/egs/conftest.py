"""A recipe's folder under a temporary root, where its local/data.sh can run."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
# Whoever runs the tests may have real ones
CORPORA = {"AN4", "COFFEE", "LIBRISPEECH", "SLURP", "SPEECH_COMMANDS", "EMODB"}


@pytest.fixture
def recipe(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that links a recipe and all it uses into tmp_path."""

    def link(name: str) -> Path:
        for part in ("pruneasr", "tools", "utils"):
            (tmp_path / part).symlink_to(ROOT / part)
        folder = tmp_path / "egs" / name
        folder.mkdir(parents=True)
        for path in (ROOT / "egs" / name).glob("*.sh"):
            (folder / path.name).symlink_to(path)
        for target, source in {
            "local": ROOT / "egs" / name / "local",
            "path.sh": ROOT / "egs" / "TEMPLATE" / "path.sh",
            "utils": ROOT / "utils",
        }.items():
            (folder / target).unlink(missing_ok=True)
            (folder / target).symlink_to(source)
        return folder

    return link


@pytest.fixture
def run_data() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs local/data.sh of a linked recipe."""

    def run(folder: Path, *options: object, **environment: str):
        others = {k: v for k, v in os.environ.items() if k not in CORPORA}
        return subprocess.run(
            ["local/data.sh", *map(str, options)],
            cwd=folder,
            env={**others, "PRUNEASR_PYTHON": sys.executable, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def local_module() -> Callable[[str, str], ModuleType]:
    """Return a function that imports a Python file of a recipe's local/."""

    def load(recipe_name: str, name: str) -> ModuleType:
        path = ROOT / "egs" / recipe_name / "local" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
