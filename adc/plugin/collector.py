"""Content buffered for one body phase: whole, its beginning, or not at all."""

from __future__ import annotations

from adc.plugin.context import Context
from adc.plugin.phase_call import PhaseCall


class BodyTooLarge(Exception):
    """Request content exceeds the limit of a plugin that wants it whole."""


class Collector:
    """Buffers content for the calls of one phase. After `collect`, `passing` is what goes on.

    If `collect` returned True, the phase is called with `inspected` and `whole`, and `replace` gets its result. `over`
    once no further content is for the phase; `changed` if the phase replaced some.
    """

    __slots__ = (
        "_buffered",
        "_rest",
        "_size",
        "call",
        "changed",
        "context",
        "inspected",
        "over",
        "passing",
        "whole",
    )

    def __init__(self, call: PhaseCall, context: Context) -> None:
        self.call = call
        self.context = context
        self.inspected = b""
        self.passing = b""
        self.whole = False
        self.over = False
        self.changed = False
        self._buffered: list[bytes] = []
        self._rest = b""
        self._size = 0

    @property
    def withholds(self) -> bool:
        """True while content waits here for more."""
        call = self.call
        buffers = call.limit is not None or call.inspect is not None
        return buffers and not (self.over or call.observes)

    @property
    def changes(self) -> bool:
        """True if the phase replaced content, or may still replace a chunk or the whole."""
        call = self.call
        return self.changed or (call.inspect is None and not (self.over or call.observes or call.checks))

    def collect(self, data: bytes, end: bool) -> bool:
        """Receive content; return True if the phase is to be called now."""
        call = self.call
        self.passing = data
        if self.over:
            return False
        if call.inspect is not None:
            return self._begin(data, end, call.inspect)
        if call.limit is not None:
            return self._whole(data, end, call.limit)
        self.inspected, self._rest, self.whole = data, b"", end
        return bool(data) or end

    def replace(self, result: bytes | None) -> None:
        """Pass `result` instead of the content that was inspected, unless it is None. A beginning that is empty stays
        so: the message may be one that has no content."""
        call = self.call
        if result is not None and not call.observes and (self.inspected or call.inspect is None):
            self.passing = result + self._rest
            self.changed = True
        self.inspected = self._rest = b""

    def _begin(self, data: bytes, end: bool, most: int) -> bool:
        content = self._add(data, end or self._size + len(data) >= most)
        if content is None:
            return False
        self.inspected, self._rest = content[:most], content[most:]
        self.whole = end and not self._rest
        self.over = True
        return True

    def _whole(self, data: bytes, end: bool, limit: int) -> bool:
        """Response content over the limit passes the phase by if the plugin fails open."""
        exceeds = self._size + len(data) > limit
        content = self._add(data, end or exceeds)
        if content is None:
            return False
        self.over = True
        if exceeds:
            self._exceed(limit)
        self.inspected, self._rest, self.whole = content, b"", True
        return not exceeds

    def _add(self, data: bytes, complete: bool) -> bytes | None:
        """Buffer `data`; return everything buffered if it is `complete`, else None."""
        self._buffered.append(data)
        self._size += len(data)
        observes = self.call.observes
        if not complete:
            self.passing = data if observes else b""
            return None
        content = b"".join(self._buffered)
        self._buffered.clear()
        self.passing = data if observes else content
        return content

    def _exceed(self, limit: int) -> None:
        call = self.call
        if call.phase == "request_body" and not call.observes:
            raise BodyTooLarge
        if call.passes_larger:
            return
        detail = f"the content exceeds the limit of {limit} bytes"
        call.use.failed(self.context, call.phase, "limit", detail)
