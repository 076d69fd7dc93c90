"""YAML to a checked, immutable configuration, with every error and its place at once.

The modules that read files are imported on first use: workers get the finished model and never need them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from adc.config.model.config import Config

if TYPE_CHECKING:
    from adc.config.errors import ConfigErrors, Mark, Problem
    from adc.config.loading import Loaded, load
    from adc.config.schema import json_schema

_HOMES = {
    "ConfigErrors": "errors",
    "Loaded": "loading",
    "Mark": "errors",
    "Problem": "errors",
    "json_schema": "schema",
    "load": "loading",
}

__all__ = ["Config", "ConfigErrors", "Loaded", "Mark", "Problem", "json_schema", "load"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
