"""The plugin `html_validation`."""

from __future__ import annotations

import asyncio
from time import perf_counter

from adc.plugin import (
    Context,
    DecodeError,
    Host,
    JobFailed,
    Plugin,
    PoolFull,
    Response,
    decode_beginning,
    may_transform,
)

from .encoding import byte_order_mark, decoded, encoding_of
from .options import HtmlValidationOptions
from .repair import repaired
from .syntax.check import Check
from .verdict import Verdict

_PARTIAL = 206
_NOT_MODIFIED = 304
_MOST_WAIT = 2.0
"""Seconds that a document waits for its check while others are worked on."""
_MOST_REPAIR = 10.0
"""Seconds that a document waits for its repair, the start of the process included."""
_NICE = 10
"""Beside a busy worker the process gets a tenth of its processor: at 19 it would be a hundredth, and start too late."""


class HtmlValidation(Plugin[HtmlValidationOptions]):
    """Checks HTML responses for the parse errors of the WHATWG standard: reports, repairs or rejects them."""

    default_timeout = 15.0

    def __init__(self, options: HtmlValidationOptions) -> None:
        super().__init__(options)
        if not options.wait and options.on_invalid != "report":
            raise ValueError(f"wait: false needs on_invalid: report, not {options.on_invalid}")
        self.response_body_inspect = options.max_size
        self.transforms = options.on_invalid == "repair"
        self.observes = not options.wait
        self.cached = options.wait
        self._field = options.header.encode()
        self._ignored = frozenset(options.ignore)

    async def start(self, host: Host) -> None:
        self._host = host
        if self.transforms:
            self._processes = host.processes(workers=1, waiting=16, seconds=4.0, nice=_NICE)
        self._checked = host.counter("checked", "Documents checked.")
        self._invalid = host.counter("invalid", "Documents with parse errors.")
        self._incomplete = host.counter("incomplete", "Documents that were not checked to their end.")
        self._repaired = host.counter("repaired", "Documents repaired.")
        self._rejected = host.counter("rejected", "Responses rejected.")
        self._errors = host.keyed_counter("errors", "The first parse errors of documents, by code.")

    def response_head(self, context: Context) -> None:
        """Leave responses alone that are not whole documents, or that may not be changed."""
        response = context.response
        assert response is not None
        content_type = response.headers.get(b"content-type") or b""
        if response.status == _NOT_MODIFIED:
            return  # its entity tag is restated like that of the document
        if (
            response.status == _PARTIAL
            or not self.options.content_types.covers(content_type)
            or (self.transforms and not may_transform(response.headers))
        ):
            context.skip_response_body()
        else:
            context.state["content_type"] = content_type

    async def response_body(self, context: Context, data: bytes, end: bool) -> bytes | Response | None:
        """Check the beginning of the content, which is all of it unless it is too large."""
        if "content_type" not in context.state or not data:
            return None
        if self.observes:
            try:
                self._host.spawn(self._check(context, data, end))
            except RuntimeError:
                self._incomplete.add()
            return None
        return await self._check(context, data, end)

    async def _check(self, context: Context, data: bytes, end: bool) -> bytes | Response | None:
        assert context.response is not None
        coding = context.response.headers.joined(b"content-encoding") or b""
        try:
            plain = decode_beginning(data, coding, self.options.max_size, whole=end)
        except DecodeError as error:
            context.warn("the content was not checked", reason=error)
            return self._finish(context, Verdict(0, (), complete=False))
        content, whole = plain
        encoding = encoding_of(content, context.state["content_type"], self.options.default_encoding)
        text = decoded(content, encoding)
        verdict = await self._judge(text, whole)
        if verdict.complete and not verdict.valid and self.transforms:
            mark = byte_order_mark(content)
            return await self._repair(context, verdict, (text, encoding.name, mark, self.options.scripting))
        return self._finish(context, verdict)

    async def _repair(
        self, context: Context, verdict: Verdict, document: tuple[str, str, bytes, bool]
    ) -> bytes | Response | None:
        """Repair a document in another process, which parses it at one go."""
        try:
            async with asyncio.timeout(_MOST_REPAIR):
                made: bytes | None = await self._processes.run(repaired, *document)
        except (PoolFull, JobFailed, TimeoutError) as error:
            context.warn("the document was not repaired", reason=error or "the processes are busy")
            if not isinstance(error, JobFailed):
                self._forbid_storing(context)
            return self._finish(context, Verdict(verdict.count, verdict.errors, complete=False))
        self._report(context, verdict, "repaired" if made is not None else "unrepaired")
        self._repaired.add(made is not None)
        return made

    @staticmethod
    def _forbid_storing(context: Context) -> None:
        """Let no cache keep a document that the next request may get repaired."""
        if context.response is not None:
            context.response.headers.remove(b"expires", b"cdn-cache-control", b"surrogate-control")
            context.response.headers.set(b"Cache-Control", b"no-store")

    async def _judge(self, text: str, whole: bool) -> Verdict:
        """Check in slices, so that other exchanges go on."""
        options = self.options
        check = Check(
            text,
            most_errors=options.max_errors,
            scripting=options.scripting,
            ignored=self._ignored,
            truncated=not whole,
        )
        used, since = 0.0, perf_counter()
        latest = self._host.now() + _MOST_WAIT
        for _ in check.run():
            used += perf_counter() - since
            if used > options.max_time or self._host.now() > latest:
                break
            await asyncio.sleep(0)
            since = perf_counter()
        complete = whole and check.finished and not check.too_deep
        return Verdict(check.count, tuple(check.errors), complete)

    def _finish(self, context: Context, verdict: Verdict) -> Response | None:
        """Report, and reject what the options say."""
        options = self.options
        refused = (
            not verdict.complete and options.on_incomplete == "reject" and options.on_invalid != "report"
        )
        refused = refused or (options.on_invalid == "reject" and not verdict.valid)
        self._report(context, verdict, "rejected" if refused else "")
        if not refused:
            return None
        self._rejected.add()
        return Response(502, error_page=True)

    def _report(self, context: Context, verdict: Verdict, outcome: str) -> None:
        self._checked.add()
        self._incomplete.add(not verdict.complete)
        if self._field and not self.observes and context.response is not None:
            context.response.headers.set(self._field, verdict.field(outcome))
        if verdict.valid and not outcome:
            return
        self._invalid.add(not verdict.valid)
        for error in verdict.errors:
            self._errors.add(error.code)
        context.warn(
            "invalid HTML" if verdict.count else "HTML not checked to its end",
            path=context.request.path,
            errors=verdict.count,
            first=verdict.listed(),
            outcome=outcome or "passed",
        )
