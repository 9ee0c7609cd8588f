"""What setup.py builds: the package, and the line that Python runs at start-up."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
AUTOLOAD = "pruneasr_autoload.pth"
PLUGIN = "import sys\n\n\ndef install():\n    sys.hook_was_installed = True\n"
ASK = "import sys; print(hasattr(sys, 'hook_was_installed'))"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build both kinds of wheel from setup.py and a package with a stub of the hook."""
    source = tmp_path_factory.mktemp("source")
    shutil.copy(ROOT / "setup.py", source)
    (source / "pruneasr").mkdir()
    (source / "pruneasr/__init__.py").write_text('__version__ = "9.8.7"\n')
    (source / "pruneasr/plugin.py").write_text(PLUGIN)
    (source / "egs").mkdir()
    (source / "egs/__init__.py").touch()
    built = {}
    for kind in ("wheel", "editable"):
        command = f"from setuptools import build_meta as b; b.build_{kind}('{kind}')"
        subprocess.run(
            [sys.executable, "-c", command], cwd=source, check=True, capture_output=True
        )
        [built[kind]] = (source / kind).glob("*.whl")
    return built


def test_the_version_is_the_package_s(wheels: dict[str, Path]) -> None:
    assert wheels["wheel"].name.startswith("pruneasr-9.8.7-py3-none-any")


def test_the_wheel_holds_the_package_and_nothing_else(wheels: dict[str, Path]) -> None:
    names = zipfile.ZipFile(wheels["wheel"]).namelist()
    tops = {name.split("/")[0] for name in names if "dist-info" not in name}
    assert tops == {"pruneasr", AUTOLOAD}


@pytest.mark.parametrize("kind", ["wheel", "editable"])
@pytest.mark.parametrize("switched_off", [False, True])
def test_an_installed_wheel_loads_the_hook_unless_told_not_to(
    wheels: dict[str, Path], kind: str, switched_off: bool, tmp_path: Path
) -> None:
    zipfile.ZipFile(wheels[kind]).extractall(tmp_path)
    environment = {"PATH": os.defpath}
    if switched_off:
        environment["PRUNEASR_NO_AUTOLOAD"] = "1"
    # -S leaves out the site folder of this environment, whose hook is the real one.
    code = f"import site; site.addsitedir({str(tmp_path)!r}); {ASK}"
    answer = subprocess.run(
        [sys.executable, "-S", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path.parent,
    )
    assert answer.stdout.strip() == str(not switched_off)


@pytest.mark.parametrize("version", ["3.11", "3.12"])
def test_every_requirement_is_pinned_to_a_version_it_allows(version: str) -> None:
    file = ROOT / f"tools/constraints-py{version.replace('.', '')}.txt"
    lines = [line for line in file.read_text().splitlines() if line[0] != "#"]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)
    pins = {
        canonicalize_name(name): pin for name, pin in (x.split("==") for x in lines)
    }
    requirements = [
        requirement
        for requirement in map(Requirement, _requirements())
        if requirement.marker is None
        or requirement.marker.evaluate({"python_version": version})
    ]
    assert {"torch", "espnet", "pytest"} <= {item.name for item in requirements}
    for requirement in requirements:
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def _requirements() -> list[str]:
    code = (
        "import setuptools, distutils.core as core;"
        "project = core.run_setup('setup.py', [], 'init');"
        "groups = [project.install_requires, *project.extras_require.values()];"
        "print(*sum(groups, []), sep='\\n')"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return answer.stdout.splitlines()
