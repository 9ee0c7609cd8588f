"""The wheel, installed by pip beside ESPnet: nothing is imported, no wrapper is used.

The environment is a fresh one. It sees the packages of this one, but none of their
`.pth` files, so that what registers the frontend is the wheel alone.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import torch
import yaml
from asr_training import DATA_OPTIONS, write_training

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
BUILD = "from setuptools import build_meta; build_meta.build_wheel('.')"
TRAIN = [
    *("-m", "espnet2.bin.asr_train", "--config", "train.yaml", "--output_dir", "exp"),
    *("--train_shape_file", "data/wav.scp", "--valid_shape_file", "data/wav.scp"),
    *DATA_OPTIONS,
]


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Make an environment with the wheel of this source and return its interpreter."""
    place = tmp_path_factory.mktemp("installed")
    source = place / "source"
    source.mkdir()
    shutil.copy(ROOT / "setup.py", source)
    shutil.copytree(ROOT / "pruneasr", source / "pruneasr")
    call(source, sys.executable, "-c", BUILD)
    (wheel,) = source.glob("*.whl")
    call(place, sys.executable, "-m", "venv", "--without-pip", "venv")
    pip = (sys.executable, "-m", "pip", "--python", "venv/bin/python")
    call(place, *pip, "install", "--no-index", "--no-deps", str(wheel))
    (site,) = (place / "venv/lib").glob("python3*/site-packages")
    # the second line is setuptools' own: from Python 3.12 on ESPnet needs its distutils
    (site / "packages.pth").write_text(
        f"{sysconfig.get_path('purelib')}\n"
        "import _distutils_hack; _distutils_hack.add_shim()\n"
    )
    return place / "venv/bin/python"


def call(directory, *command, status=0, **variables):
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=directory,
        env={**env, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout[-3000:] + done.stderr[-6000:]
    return done.stdout + done.stderr


def test_plain_espnet_trains(python, tmp_path):
    code = "import pruneasr; print(pruneasr.__file__)"
    assert str(python.parents[1]) in call(tmp_path, python, "-c", code)
    write_training(tmp_path)
    call(tmp_path, python, *TRAIN)
    conf = yaml.safe_load((tmp_path / "exp/config.yaml").read_text())
    assert conf["frontend_conf"]["arch"]["family"] == "wavlm"
    state = torch.load(tmp_path / "exp/1epoch.pth", weights_only=True)
    assert "frontend.featurizer.weights" in state


def test_switched_off_it_is_no_frontend_of_espnet(python, tmp_path):
    asr_train = ("-m", "espnet2.bin.asr_train", "--frontend", "pruned_ssl")
    answer = call(tmp_path, python, *asr_train, status=2, PRUNEASR_NO_AUTOLOAD="1")
    assert "invalid choice: 'pruned_ssl'" in answer
