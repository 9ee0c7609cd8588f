"""Dataclasses from JSON: exactly their keys, and values of exactly their types."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any


def build_all(name: str, cls: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the list under a name into dataclasses; `build` says if it is missing."""
    if name not in values:
        return dict(values)
    return {**values, name: tuple(build(cls, item) for item in objects(name, values))}


def objects(name: str, values: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the list of objects under a name."""
    items = values[name]
    if isinstance(items, list | tuple):
        found = [item for item in items if isinstance(item, Mapping)]
        if len(found) == len(items):
            return found
    raise ValueError(
        f"encoder config: {name} must be a list of objects; found {items!r}"
    )


def build(cls: type[Any], values: Mapping[str, Any]) -> Any:
    """Call a dataclass with exactly its own fields."""
    fields = {field.name: field for field in dataclasses.fields(cls)}
    unknown = sorted(set(values) - set(fields))
    missing = sorted(
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and name not in values
    )
    if unknown or missing:
        raise ValueError(
            f"{cls.__name__}: expected the keys {sorted(fields)}; "
            f"unknown: {unknown}, missing: {missing}"
        )
    return cls(**values)


def check_types(config: Any) -> None:
    """Refuse fields of another type than they are annotated with."""
    for name, hint in typing.get_type_hints(type(config)).items():
        kind = typing.get_origin(hint) or hint
        value = getattr(config, name)
        # a bool is an int to Python, and an int will do for a float
        right = type(value) in {float: (int, float)}.get(kind, (kind,))
        require(right, name, f"of type {kind.__name__}", repr(value))


def require(condition: bool, name: str, expected: object, found: object) -> None:
    """Raise a ValueError that says what a field must be, unless it is."""
    if not condition:
        raise ValueError(f"encoder config: {name} must be {expected}; found {found}")
