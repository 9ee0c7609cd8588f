"""Adds ``frontend: pruned_ssl`` and ``encoder: tdnn`` to ESPnet's tasks as they are.

ESPnet keeps the names that an option may take in objects of class ``ClassChoices``.
:func:`install` sees to it that every such object which lists audio frontends, or
encoders of features, lists ours as well, whether it was made before or is made later.
It imports nothing but the standard library until ESPnet itself is imported, so it may
run at the start of every interpreter.
"""

from __future__ import annotations

import functools
import gc
import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

OURS = {
    "espnet2.asr.frontend.abs_frontend.AbsFrontend": (
        "pruned_ssl",
        "pruneasr.espnet.frontend",
        "PrunedSSLFrontend",
    ),
    "espnet2.asr.encoder.abs_encoder.AbsEncoder": (
        "tdnn",
        "pruneasr.espnet.tdnn_encoder",
        "TDNNEncoder",
    ),
}
"""Base class of what may be chosen -> its name, module and class of ours."""
CHOICES_MODULE = "espnet2.train.class_choices"
MARK = "_pruneasr_installed"


def install() -> None:
    """Offer what is ours to all tasks of ESPnet, loaded or not; repeating is fine."""
    module = sys.modules.get(CHOICES_MODULE)
    if module is not None:
        _extend(module)
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Waits for the one module that defines ``ClassChoices``."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find that module as Python does, but with our loader around its own."""
        if fullname != CHOICES_MODULE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    """Runs a module with its own loader, then extends it."""

    def __init__(self, loader: Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as its own loader does."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, leave no trace of this loader, and extend it."""
        self.loader.exec_module(module)
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        _extend(module)


def _extend(module: ModuleType) -> None:
    """Make all choices, present and future, list what is ours."""
    choices_class = module.ClassChoices
    if getattr(choices_class, MARK, False):
        return
    setattr(choices_class, MARK, True)
    original = choices_class.__init__

    @functools.wraps(original)
    def initialize(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        _add(self)

    choices_class.__init__ = initialize
    # whatever module, class or list holds them, the collector knows them all
    for thing in gc.get_objects():
        if issubclass(type(thing), choices_class):
            _add(thing)


def _add(choices: Any) -> None:
    """Add what is ours to choices of its kind."""
    base = choices.base_type
    ours = OURS.get(f"{base.__module__}.{base.__name__}") if base else None
    if ours is None or "embed" in choices.classes:
        return  # "embed" is the frontend of text tasks
    name, module, its_class = ours
    if name not in choices.classes:
        choices.classes[name] = getattr(importlib.import_module(module), its_class)
