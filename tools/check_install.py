"""Says whether an interpreter has what pruneasr needs, and what to run if it has not.

    python tools/check_install.py [--import] [EXTRA ...]

Prints the versions of Python and of every package that setup.py asks for: the core,
and the named extras (train, test, export, dev). Exits with 1, naming what is missing
or too old and the command that installs it. With --import it also imports them, which
takes seconds and finds broken installations. It installs nothing.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
# The modules to import, as the core and each extra need them. ESPnet's tasks stand for
# all that ESPnet imports.
MODULES = {
    "core": ("torch", "torchaudio", "safetensors", "numpy", "yaml", "soundfile"),
    "train": ("kaldiio", "sentencepiece", "matplotlib", "espnet2.tasks.asr"),
    "test": ("pytest", "transformers"),
    "export": ("onnx", "onnxruntime"),
    "dev": ("mypy", "codespell_lib"),
}


def is_supported_python() -> bool:
    """Tell whether this interpreter is of a version that pruneasr supports."""
    return ".".join(platform.python_version_tuple()[:2]) in PYTHONS


def is_installed(name: str) -> bool:
    """Tell whether a distribution of that name is installed, whatever its version."""
    return next(metadata.distributions(name=name), None) is not None


def requirements(extras: list[str]) -> list[str]:
    """Return what setup.py asks for: the core's requirements and those of `extras`."""
    importlib.import_module("setuptools")  # brings distutils from Python 3.12 on
    core = importlib.import_module("distutils.core")
    os.chdir(ROOT)
    distribution = core.run_setup("setup.py", stop_after="init")
    lists = [distribution.install_requires]
    lists += [distribution.extras_require[extra] for extra in extras]
    return [line for group in lists for line in group]


def problem_with(line: str) -> str | None:
    """Print the version found for a requirement line; return what is wrong, if any."""
    from packaging.requirements import Requirement

    requirement = Requirement(line)
    if requirement.marker is not None and not requirement.marker.evaluate():
        return None
    if not is_installed(requirement.name):
        print(f"  {requirement.name:<18} missing")
        return f"{requirement.name} is missing"
    found = metadata.version(requirement.name)
    print(f"  {requirement.name:<18} {found}")
    if not requirement.specifier.contains(found, prereleases=True):
        return f"{requirement.name} is {found}, expected {requirement.specifier}"
    return None


def import_problem(module: str) -> str | None:
    """Import a module; return what went wrong, if anything."""
    try:
        importlib.import_module(module)
    except (ImportError, OSError, RuntimeError) as error:
        return f"{module} cannot be imported: {type(error).__name__}: {error}"
    return None


def problems_of(extras: list[str], import_too: bool) -> list[str]:
    """Print the versions found; return everything that is wrong, one line each."""
    version = platform.python_version()
    print(f"  {'python':<18} {version}  ({sys.executable})")
    if not is_supported_python():
        return [f"Python is {version}, expected one of {', '.join(PYTHONS)}"]
    tools = [name for name in ("setuptools", "packaging") if not is_installed(name)]
    if tools:  # without them setup.py cannot be read
        return [f"{name} is missing" for name in tools]
    found = [problem_with(line) for line in requirements(extras)]
    if import_too:
        modules = [name for group in ("core", *extras) for name in MODULES[group]]
        found += [import_problem(name) for name in modules]
    return [problem for problem in found if problem is not None]


def remedy(extras: list[str]) -> str:
    """Return what the user is to run, or to use instead."""
    if not is_supported_python():
        return "Use another Python: " + ", ".join(PYTHONS) + "."
    name = "py311" if sys.version_info[:2] == (3, 11) else "py312"
    constraints = ROOT / "tools" / f"constraints-{name}.txt"
    pip = f"{sys.executable} -m pip install -c {constraints}"
    target = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    return f"Run:\n  {pip} pip setuptools wheel && \\\n  {pip} -e '{target}'"


def main() -> int:
    """Check this interpreter; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("extras", nargs="*", metavar="EXTRA")
    parser.add_argument("--import", action="store_true", dest="import_too")
    args = parser.parse_args()
    known = [name for name in MODULES if name != "core"]
    if unknown := [extra for extra in args.extras if extra not in known]:
        parser.error(f"unknown extra {unknown[0]}; known: {', '.join(known)}")
    problems = problems_of(args.extras, args.import_too)
    if not problems:
        return 0
    print("\ncheck_install.py: this interpreter is not ready:", file=sys.stderr)
    print(*(f"  {problem}" for problem in problems), sep="\n", file=sys.stderr)
    print(remedy(args.extras), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
