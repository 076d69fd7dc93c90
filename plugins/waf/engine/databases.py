"""Sets of expressions that are searched for at once, kept on disk by a digest of what they are made from."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final

import hyperscan
from adc_plugins.waf.expression import Expression

_FLAGS: Final = (
    hyperscan.HS_FLAG_DOTALL
    | hyperscan.HS_FLAG_MULTILINE
    | hyperscan.HS_FLAG_PREFILTER
    | hyperscan.HS_FLAG_SINGLEMATCH
)
DIGEST_BYTES: Final = 32

Report = Callable[[str], None]


class ExpressionSet:
    """Finds which of many expressions match; empty sets find nothing."""

    def __init__(self, expressions: Sequence[Expression], cache: Path | None = None) -> None:
        self._database = _database(expressions, cache) if expressions else None

    def search(self, data: bytes) -> list[int]:
        """Return the indexes of the expressions that match somewhere in `data`."""
        found: list[int] = []
        if self._database is not None:
            add = found.append
            self._database.scan(
                data, match_event_handler=lambda index, _start, _end, _flags, _context: add(index)
            )
        return found


def _database(expressions: Sequence[Expression], cache: Path | None) -> hyperscan.Database:
    if cache is None:
        return _compiled(expressions)
    file = cache / f"{_digest_of(expressions)}.hs"
    database = _loaded(file)
    if database is None:
        database = _compiled(expressions)
        write_privately(file, signed(hyperscan.dumpb(database)))
    return database


def _compiled(expressions: Sequence[Expression]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[each.pattern for each in expressions],
        ids=list(range(len(expressions))),
        flags=[_FLAGS | (hyperscan.HS_FLAG_CASELESS if each.caseless else 0) for each in expressions],
    )
    return database


def _loaded(file: Path) -> hyperscan.Database | None:
    """Return the database of a file, None without one that is whole and of this version."""
    try:
        content = file.read_bytes()
    except OSError:
        return None
    dumped = content[DIGEST_BYTES:]
    if signed(dumped) != content:
        return None
    try:
        database = hyperscan.loadb(dumped, hyperscan.HS_MODE_BLOCK)
        database.scratch = hyperscan.Scratch(database)
        return database
    except hyperscan.HyperscanError:
        return None


def signed(dumped: bytes) -> bytes:
    """Return a dump behind its digest, by which a damaged file is known."""
    return sha256(dumped).digest() + dumped


def _digest_of(expressions: Sequence[Expression]) -> str:
    digest = sha256(f"{version('hyperscan')} {_FLAGS}".encode())
    for each in expressions:
        digest.update(b"%d %d " % (each.caseless, len(each.pattern)) + each.pattern)
    return digest.hexdigest()


def write_privately(file: Path, content: bytes) -> None:
    """Write a file at once, readable by its owner only; without a folder that can be written nothing is kept."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=file.parent)
    except OSError:
        return
    try:
        with os.fdopen(descriptor, "wb") as target:
            target.write(content)
        os.replace(name, file)
    except OSError:
        Path(name).unlink(missing_ok=True)
