"""Answers 503 while maintenance is on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from adc.plugin import Context, Duration, FilePath, Host, NetworkList, Options, Plugin, Response

_MOST_PAGE = 1 << 20
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _name(written: str) -> str:
    if not _NAME.fullmatch(written):
        raise ValueError(f"{written!r} is not a name; write lower-case letters, digits and _")
    return written


def _path(written: str) -> str:
    if not written.startswith("/") or "?" in written:
        raise ValueError(f"{written!r} is not a path; write /healthz, or /status/ with everything below")
    return written


class MaintenanceOptions(Options):
    on: bool = False
    """Maintenance is on as long as the configuration says so. `adc maintenance on` needs no change of it."""

    allow: NetworkList = Field(default=(), validate_default=True)
    """Networks of clients that are served nevertheless."""

    paths: tuple[Annotated[str, AfterValidator(_path)], ...] = ()
    """Paths that are served nevertheless: by whole segments if one ends in `/`, else exact."""

    retry_after: Duration = 300.0
    """Time after which clients should try again (`Retry-After`)."""

    page: FilePath | None = None
    """HTML file to send, at most 1 MB, read again when it changes; by default the error page of the status."""

    status: Annotated[int, Field(ge=400, le=599)] = 503
    """Status of the response."""

    switch: Annotated[str, AfterValidator(_name)] = "maintenance"
    """Name of the switch, for routes that are maintained apart: `adc maintenance on NAME`."""


class Maintenance(Plugin[MaintenanceOptions]):
    """Answers 503 while an operator, or the configuration, has maintenance on."""

    def __init__(self, options: MaintenanceOptions) -> None:
        super().__init__(options)
        self._prefixes = tuple(path for path in options.paths if path.endswith("/"))
        self._exact = frozenset(options.paths) - frozenset(self._prefixes)
        self._allow = options.allow if options.allow else None

    async def start(self, host: Host) -> None:
        self._switch = host.switch(self.options.switch, self.options.on)
        self._refused = host.counter("refused", "Requests answered because of maintenance.")
        self._response = self._made(None)
        page = self.options.page
        if page is not None:
            host.watch_file(page, lambda: self._read(page))
            self._read(page)

    def _read(self, page: Path) -> None:
        content = page.read_bytes()
        if len(content) > _MOST_PAGE:
            raise ValueError(f"{page} has {len(content)} bytes; allowed: {_MOST_PAGE}")
        self._response = self._made(content)

    def _made(self, page: bytes | None) -> Response:
        fields = {"Retry-After": str(round(self.options.retry_after)), "Cache-Control": "no-store"}
        if page is None:
            return Response(self.options.status, fields, error_page=True)
        return Response(self.options.status, fields | {"Content-Type": "text/html; charset=utf-8"}, page)

    def request_head(self, context: Context) -> Response | None:
        """Answer while maintenance is on, unless the client or the path is excepted."""
        if not self._switch.on:
            return None
        request = context.request
        if self._allow is not None and self._allow.contains(request.source):
            return None
        if request.path in self._exact or request.path.startswith(self._prefixes):
            return None
        self._refused.add()
        return self._response
