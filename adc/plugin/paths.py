"""The option type for files and folders, written as in the rest of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo


def _resolved(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path) or not str(value):
        raise ValueError(f"{value!r} is not a path; write that of a file or folder")
    folder: str | Path = (info.context or {}).get("folder", "")
    return Path(folder, value)


FilePath = Annotated[Path, BeforeValidator(_resolved)]
"""A path; a relative one starts at the folder of the configuration."""
