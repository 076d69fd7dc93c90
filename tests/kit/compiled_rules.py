"""Rules of the firewall that the tests of one run compile once: those of the OWASP CRS take six seconds of a processor.

The root `conftest.py` sets `FOLDER`; what is kept there is known by a digest of all that it is made from.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

FOLDER: Path | None = None
"""Shared by the testers of a run; None outside pytest, where each process compiles for itself."""


@contextlib.contextmanager
def sharing(state: Path) -> Iterator[None]:
    """Give the firewall of a worker whose `state.path` is `state` what was compiled before, and keep what it adds."""
    if FOLDER is None:
        yield
        return
    own = state / "plugin-waf"
    for folder in (FOLDER, state, own):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _link(FOLDER, own)
    try:
        yield
    finally:
        _link(own, FOLDER)


def _link(source: Path, target: Path) -> None:
    """Link the whole files of one folder into another; the firewall replaces files and never changes them."""
    for file in [*source.glob("*.hs"), *source.glob("*.prefilters")]:
        with contextlib.suppress(FileExistsError):
            os.link(file, target / file.name)
