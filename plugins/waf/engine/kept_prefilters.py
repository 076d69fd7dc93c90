"""Prefilters of expressions, kept on disk: those of a few hundred rules take more than a second to derive."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from adc_plugins.waf.engine.databases import DIGEST_BYTES, signed, write_privately
from adc_plugins.waf.engine.rule import Link
from adc_plugins.waf.expression import Expression

_OPERATORS: Final = Path(__file__).parent.parent / "operators"

Derived = tuple[Expression, ...] | None


class KeptPrefilters:
    """The prefilters of `links`. What had to be derived is written to `cache` by `keep`."""

    def __init__(self, links: Iterable[Link], cache: Path | None) -> None:
        arguments = {argument for link in links if (argument := _argument(link)) is not None}
        self._file = None if cache is None else cache / f"{_digest_of(arguments)}.prefilters"
        self._kept: dict[str, Derived] = {} if self._file is None else _read(self._file)
        self._derived = False

    def of(self, link: Link) -> Sequence[Expression] | None:
        """Return expressions one of which matches wherever the link's operator does, None if there are none."""
        if link.operator is None:
            return None
        argument = _argument(link)
        if argument is None:
            return link.operator.prefilter
        if argument not in self._kept:
            derived = link.operator.prefilter
            self._kept[argument] = None if derived is None else tuple(derived)
            self._derived = True
        return self._kept[argument]

    def keep(self) -> None:
        """Write what the next start need not derive."""
        if self._file is not None and self._derived:
            rows = {
                argument: derived and [(each.pattern.decode("latin-1"), each.caseless) for each in derived]
                for argument, derived in self._kept.items()
            }
            write_privately(self._file, signed(json.dumps(rows).encode()))


def _argument(link: Link) -> str | None:
    """Return the expression whose prefilter takes long to derive, None for other operators."""
    call = link.call
    return call.argument if call is not None and call.name == "rx" and link.argument is None else None


def _digest_of(arguments: Iterable[str]) -> str:
    """Return a digest of expressions and of the code that derives their prefilters."""
    digest = sha256()
    for source in sorted(_OPERATORS.glob("*.py")):
        digest.update(source.read_bytes())
    for argument in sorted(arguments):
        text = argument.encode("utf-8", "surrogateescape")
        digest.update(b"%d " % len(text) + text)
    return digest.hexdigest()


def _read(file: Path) -> dict[str, Derived]:
    """Return the prefilters of a file, none if it is absent or damaged."""
    try:
        content = file.read_bytes()
        dumped = content[DIGEST_BYTES:]
        if signed(dumped) != content:
            return {}
        rows = json.loads(dumped)
        return {
            argument: None
            if derived is None
            else tuple(
                Expression(pattern.encode("latin-1"), caseless is True) for pattern, caseless in derived
            )
            for argument, derived in rows.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
