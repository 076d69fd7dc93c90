"""Schemas and descriptions in files, as JSON or YAML."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml


class BadFile(ValueError):
    """A file that cannot be read; the text names the place."""


def load(file: Path) -> Any:
    """Return the value in a JSON or YAML file. Raises BadFile."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise BadFile(f"{file} cannot be read: {reason}") from None
    if file.suffix in (".yaml", ".yml"):
        return _yaml(text, file)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadFile(f"{file}:{error.lineno}:{error.colno}: {error.msg}") from None


class _Loader(yaml.CSafeLoader):
    """YAML 1.2 as far as JSON goes: dates, `no` and `1:30` stay text."""


_CHANGED = ("timestamp", "bool", "int")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag.rpartition(":")[2] not in _CHANGED]
    for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z"), list("-+0123456789")
)


def _yaml(text: str, file: Path) -> Any:
    try:
        return _as_json(yaml.load(text, _Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise BadFile(f"{file}{place}: {error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise BadFile(f"{file}: {error}") from None


def _as_json(value: Any) -> Any:
    """Return the value with text as keys: `200:` in YAML is a number."""
    if isinstance(value, dict):
        return {_key(key): _as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    return value


def _key(key: Any) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)
