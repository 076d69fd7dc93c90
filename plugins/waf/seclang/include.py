"""Reading of rule files."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path

from adc_plugins.waf.regular_file import read_regular_text
from adc_plugins.waf.seclang.model import Place, SecLangError


def read_files(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Yield name and text of each file. Bytes that are not UTF-8 become lone surrogates, so that none is lost."""
    for path in paths:
        yield str(path), read_regular_text(path)


def read_included(pattern: str, place: Place) -> Iterable[tuple[str, str]]:
    """Return the files that an `Include` names, sorted; a relative pattern is relative to the including file."""
    full = Path(place.file).parent / pattern
    wild = glob.has_magic(pattern)
    paths = [Path(name) for name in sorted(glob.glob(str(full), recursive=True))] if wild else [full]
    if full.is_dir():
        paths = sorted(path for path in full.iterdir() if path.is_file())
    try:
        return list(read_files(paths))
    except OSError as error:
        raise SecLangError(place, f'cannot include "{pattern}": {error.strerror or error}') from None
