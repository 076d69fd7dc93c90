"""All operations by name: every instance in the modules of this folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

from adc.runtime import operations as folder
from adc.runtime.errors import BuildError
from adc.runtime.operations.operation import Operation


@cache
def all_operations() -> Mapping[str, Operation[Any, Any]]:
    """Return every operation by name."""
    found: dict[str, Operation[Any, Any]] = {}
    for module in iter_modules(folder.__path__):
        for value in vars(import_module(f"{folder.__name__}.{module.name}")).values():
            if isinstance(value, Operation) and found.setdefault(value.name, value) is not value:
                raise RuntimeError(f"two operations are called {value.name}")
    return MappingProxyType(found)


def operation_named(name: str) -> Operation[Any, Any]:
    """Return the operation. Raises BuildError for an unknown name."""
    known = all_operations()
    if name not in known:
        raise BuildError(f"unknown operation {name}; known: {', '.join(sorted(known))}")
    return known[name]
