"""Rule files that the option `rules` names."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from adc_plugins.waf.options import CORE
from adc_plugins.waf.regular_file import read_regular_text

from adc.plugin import OptionErrors

Source = tuple[str, str]
"""Name and text of a file."""

_FOLDER = Path(__file__).parent / "rules"
_CORE_FOLDER = _FOLDER / "core"
_DEFAULTS = _FOLDER / "defaults.conf"
_CLOSING = _FOLDER / "closing.conf"
_SETUP = ("crs-setup.conf", "crs-setup.conf.example")
_AFTER_SETUP = (
    "plugins/*-config.conf",
    "plugins/*-before.conf",
    "*.conf",
    "rules/*.conf",
    "plugins/*-after.conf",
)
"""Order of the files of the OWASP CRS and its plugins."""


def read_rules(rules: Sequence[str]) -> tuple[list[Source], list[Source]]:
    """Return the defaults and the setup files that `rules` name, and the files after them, without those in Python.

    Raises OptionErrors.
    """
    setup: list[Source] = [read_source(_DEFAULTS)]
    others: list[Source] = []
    findings = []
    for number, written in enumerate(rules):
        if is_python(written):
            continue
        try:
            for path in _paths(written):
                (setup if path.name in _SETUP else others).append(read_source(path))
        except (OSError, ValueError) as error:
            text = f"{written}: {error.strerror}" if isinstance(error, OSError) else str(error)
            findings.append((("rules", number), text))
    if findings:
        raise OptionErrors(findings)
    return setup, others


def is_python(written: str) -> bool:
    """Return True if an entry of `rules` is a file of rules in Python."""
    return written.endswith(".py")


def read_closing() -> Source:
    """Return the bundled file that is read behind all rules."""
    return read_source(_CLOSING)


def read_scoring() -> list[Source]:
    """Return the bundled files that set scores up and evaluate them."""
    return [read_source(_CORE_FOLDER / name) for name in ("00-setup.conf", "99-evaluate.conf")]


def read_source(path: Path) -> Source:
    """Return name and text of a file. Raises OSError."""
    return str(path), read_regular_text(path)


def _paths(written: str) -> list[Path]:
    if written == CORE:
        return sorted(_CORE_FOLDER.glob("*.conf"))
    path = Path(written)
    if path.is_dir():
        found = list(_folder(path))
    elif glob.has_magic(written):
        found = [Path(name) for name in sorted(glob.glob(written, recursive=True))]
    else:
        return [path]
    if not found:
        raise ValueError(
            f"{written} has no rule file; a folder needs *.conf, or rules/*.conf as the OWASP CRS has"
        )
    return found


def _folder(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder in the order in which they are read. Without a `crs-setup.conf` the example of the
    OWASP CRS serves, which sets the rules' defaults."""
    setup = next((folder / name for name in _SETUP if (folder / name).is_file()), None)
    if setup is not None:
        yield setup
    for pattern in _AFTER_SETUP:
        yield from (path for path in sorted(folder.glob(pattern)) if path.name not in _SETUP)
