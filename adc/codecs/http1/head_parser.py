"""aiohttp's parser, set up for heads alone: it does not look for content behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from adc.codecs.aiohttp_parser import BaseProtocol, HttpRequestParser

if TYPE_CHECKING:
    from adc.codecs.http1.settings import Http1Settings

_NO_LIMIT: Final = 1 << 30


class _NoFlow:
    """Stands in for the protocol that the parser would pause: it never gets content to read."""

    _reading_paused = False

    def pause_reading(self) -> None: ...

    def resume_reading(self, resume_parser: bool = True) -> None: ...


_NO_FLOW: Final = cast(BaseProtocol, _NoFlow())


def head_parser(settings: Http1Settings) -> Any:
    """Return a new parser with the limits of `settings`."""
    return HttpRequestParser(
        _NO_FLOW,
        settings.loop,
        _NO_LIMIT,
        max_line_size=settings.target_bytes,
        max_field_size=settings.field_bytes,
        max_headers=settings.header_count,
        response_with_body=False,
        auto_decompress=False,
    )
