"""Runs a program of ESPnet with our frontend among its choices.

    python -m pruneasr.run -m espnet2.bin.asr_train --frontend pruned_ssl ...

ESPnet's recipes start everything as ``${python} -m espnet2.bin.X``, so ``--python
"python3 -m pruneasr.run"`` is all they need. Child processes made by spawning import
the parent's main module again; that is this one, and its first act is to register.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys

from pruneasr import plugin

plugin.install()

USAGE = "usage: python -m pruneasr.run -m MODULE [ARGUMENT ...]"


def main(argv: list[str]) -> None:
    """Call ``main()`` of the module named after ``-m``; its exit status is ours.

    Args:
        argv: ``-m``, the module, and the module's own arguments.

    Raises:
        SystemExit: with a message if the call is wrong, else as the module says.
    """
    if len(argv) < 2 or argv[0] != "-m":
        _refuse(f"expected -m and a module, found {argv[:2]}")
    name, arguments = argv[1], argv[2:]
    try:
        found = importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # the package that should hold it
        found = False
    if not found:
        _refuse(f"there is no module {name} in {sys.executable}")
    module = importlib.import_module(name)
    if not callable(getattr(module, "main", None)):
        _refuse(f"the module {name} has no function main()")
    sys.argv = [str(module.__file__), *arguments]
    module.main()


def _refuse(reason: str) -> None:
    print(f"pruneasr.run: {reason}\n{USAGE}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
