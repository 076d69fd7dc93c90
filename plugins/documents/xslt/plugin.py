"""XML transformed by a stylesheet on its way, in processes with limits on time and memory."""

from __future__ import annotations

from adc_plugins.documents.content import Unreadable, content_type, decoded
from adc_plugins.documents.refusal import printable
from adc_plugins.documents.selection import UNUSED
from adc_plugins.documents.xml.local_files import BadFile
from adc_plugins.documents.xslt.options import XsltOptions
from adc_plugins.documents.xslt.stylesheet import read_stylesheet
from adc_plugins.documents.xslt.work import WorkLimits, transformed

from adc.plugin import Context, Headers, Host, OptionErrors, Plugin, Response, may_transform

_START_SECONDS = 5.0
_SHARE = 4
"""A transformation may take this many times its processor time: others run on the machine too."""

_NICE = 10
"""Beside a busy worker a process gets a tenth of its processor: at 19 it would be a hundredth, and transformations that
take milliseconds would time out."""


class NotTransformed(Exception):
    """A document has no result; the text says why."""


class Xslt(Plugin[XsltOptions]):
    """Transforms XML by a stylesheet, to HTML, XML or text such as JSON."""

    transforms = True
    cached = True
    default_timeout = 30.0

    def __init__(self, options: XsltOptions) -> None:
        super().__init__(options)
        try:
            stylesheet = read_stylesheet(options.stylesheet)
        except BadFile as error:
            raise OptionErrors([(("stylesheet",), str(error))]) from None
        self.cache_version = stylesheet.digest
        self._content_type = (options.content_type or stylesheet.content_type).encode()
        self._limits = WorkLimits(
            options.max_size, options.max_depth, options.max_nodes, options.max_output, options.max_time
        )
        self.request_body_limit = self.response_body_limit = options.max_size
        self.unused = UNUSED[options.on]

    async def start(self, host: Host) -> None:
        options = self.options
        self._processes = host.processes(
            options.processes,
            options.waiting,
            memory=options.max_memory,
            seconds=_START_SECONDS + _SHARE * options.max_time,
            nice=_NICE,
        )
        self._transformed = host.counter("transformed", "Documents transformed.")

    def request_head(self, context: Context) -> None:
        """Choose by the content type whether the content is transformed."""
        if not self.options.content_types.covers(context.request.headers.get(b"content-type") or b""):
            context.skip_request_body()

    async def request_body(self, context: Context, data: bytes, end: bool) -> bytes | Response | None:
        """Transform a request."""
        headers = context.request.headers
        try:
            content = decoded(data, headers.joined(b"content-encoding"), self.options.max_size, end)
        except Unreadable as problem:
            return Response(problem.status, error_page=True)
        try:
            result = await self._result(content, headers)
        except NotTransformed as failed:
            context.warn("the request was not transformed", reason=printable(str(failed)))
            return Response(400, error_page=True)
        headers.remove(b"content-encoding")
        headers.set(b"Content-Type", self._content_type)
        return result

    def response_head(self, context: Context) -> None:
        """Choose by the content type whether the content is transformed."""
        response = context.response
        assert response is not None
        headers = response.headers
        if not self.options.content_types.covers(headers.get(b"content-type") or b"") or not may_transform(
            headers
        ):
            context.skip_response_body()
        elif context.request.method == "HEAD":
            headers.set(b"Content-Type", self._content_type)

    async def response_body(self, context: Context, data: bytes, end: bool) -> bytes | None:
        """Transform a response. Raises NotTransformed, so that `on_error` decides."""
        response = context.response
        assert response is not None
        result = await self._result(data, response.headers)
        response.headers.set(b"Content-Type", self._content_type)
        return result

    async def _result(self, content: bytes, headers: Headers) -> bytes:
        options = self.options
        charset = content_type(headers.get(b"content-type")).charset
        result, reason = await self._processes.run(
            transformed,
            str(options.stylesheet),
            content,
            charset,
            options.parameters,
            tuple(self._limits),
        )
        if reason:
            raise NotTransformed(reason)
        self._transformed.add()
        return result
