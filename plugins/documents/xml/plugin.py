"""XML of requests and responses, checked against limits, envelopes and schemas."""

from __future__ import annotations

from functools import partial

from adc_plugins.documents.content import ContentType, Unreadable, beginning, content_type, decoded
from adc_plugins.documents.refusal import (
    MISSING,
    REPORT,
    Invalid,
    mark_request,
    must_have_content,
    prepare_request,
    refuse_request,
    refuse_response,
    report,
    soap_fault,
)
from adc_plugins.documents.selection import UNUSED, Selected, Selection
from adc_plugins.documents.xml.encoding import looks_like_xml
from adc_plugins.documents.xml.messages import soap_message
from adc_plugins.documents.xml.options import XmlValidationOptions
from adc_plugins.documents.xml.refused import XmlRefused
from adc_plugins.documents.xml.soap import SoapMessage
from adc_plugins.documents.xml.stream import XmlStream
from adc_plugins.documents.xml.validator import XmlValidator

from adc.plugin import Context, Headers, Host, Plugin, Request, Response

_TITLE = "Invalid XML"
_STREAM = "stream"
_SOAP_1_2 = "application/soap+xml"
_OTHER_TYPE = Invalid("the content type is not XML", status=415)


class XmlValidation(Plugin[XmlValidationOptions]):
    """Rejects or reports XML that is malformed, hostile, or not valid by a schema."""

    checks = True
    identity = REPORT

    def __init__(self, options: XmlValidationOptions) -> None:
        super().__init__(options)
        self._validator = XmlValidator(options)
        self._selection = Selection(options.content_types, options.other_types, b"multipart/related")
        self._reports = options.on_invalid == "report"
        self._streams = not (self._reports or self._validator.whole)
        self._responses = options.on != "request"
        if not self._streams:
            self.request_body_inspect = options.max_size + 1
        self.response_body_inspect = options.max_size + 1
        self.unused = UNUSED[options.on]

    async def start(self, host: Host) -> None:
        self._checked = host.counter("checked", "Documents checked.")
        self._invalid = host.counter("invalid", "Documents that were invalid.")

    def request_head(self, context: Context) -> Response | None:
        """Choose by the content type whether the content is checked."""
        request = context.request
        prepare_request(request.headers, self._responses)
        selected = self._selection.of_request(request.headers)
        if selected is Selected.PASS:
            context.skip_request_body()
        elif self._streams and not request.body_length and self._is_missing(request):
            return self._refused(context, MISSING)
        return None

    def request_body(self, context: Context, data: bytes, end: bool) -> Response | None:
        """Check a request."""
        headers = context.request.headers
        found: Invalid | None
        if not data and end and _STREAM not in context.state and self._is_missing(context.request):
            found = MISSING
        elif self._streams:
            found = self._streamed(context, headers, data, end)
        else:
            found = self._examined(headers, data, end, self._selection.of_request(headers), is_request=True)
        return None if found is None else self._refused(context, found)

    def _refused(self, context: Context, found: Invalid) -> Response | None:
        """Return the response to an invalid request, None if it is reported only."""
        headers = context.request.headers
        self._note(context, "request", found)
        if self._reports:
            mark_request(context, "xml", [found])
            return None
        if self.options.soap is not None and self.options.answer == "problem":
            return soap_fault(found, content_type(headers.get(b"content-type")).media_type == _SOAP_1_2)
        return refuse_request(context, [found], self.options.answer, "xml", _TITLE)

    def _is_missing(self, request: Request) -> bool:
        """True if a request without content should have a document: a schema and SOAP need one."""
        if self.options.soap is None and not self._validator.whole:
            return False
        if not must_have_content(request.method):
            return False
        return self._selection.of_request(request.headers) is Selected.CHECK

    def _streamed(self, context: Context, headers: Headers, data: bytes, end: bool) -> Invalid | None:
        """Return why the content is invalid as far as it has come."""
        try:
            stream: XmlStream | None = context.state.get(_STREAM)
            if stream is None:
                selected = self._selection.of_request(headers)
                if selected is Selected.REJECT:
                    return _OTHER_TYPE
                stream = context.state[_STREAM] = self._stream(headers, selected is Selected.SNIFF)
            if not stream.over:
                stream.feed(data, end)
        except Unreadable as problem:
            return Invalid(problem.reason, status=problem.status)
        except XmlRefused as refused:
            return Invalid(refused.reason, refused.line, refused.column)
        return None

    def _stream(self, headers: Headers, sniffs: bool) -> XmlStream:
        self._checked.add()
        kind, message = _described(headers, is_request=True)
        guard = partial(self._validator.guard, kind.charset, message)
        return XmlStream(guard, headers.joined(b"content-encoding"), sniffs)

    def response_head(self, context: Context) -> None:
        """Choose by the content type whether the content is checked."""
        response = context.response
        assert response is not None
        if self._selection.of_response(response.headers.get(b"content-type")) is Selected.PASS:
            context.skip_response_body()

    def response_body(self, context: Context, data: bytes, end: bool) -> Response | None:
        """Check a response."""
        response = context.response
        assert response is not None
        found = self._examined(response.headers, data, end, Selected.CHECK, is_request=False)
        if found is None:
            return None
        self._note(context, "response", found)
        return None if self._reports else refuse_response()

    def _note(self, context: Context, what: str, found: Invalid) -> None:
        self._invalid.add()
        report(context, what, [found])

    def _examined(
        self, headers: Headers, data: bytes, end: bool, selected: Selected, is_request: bool
    ) -> Invalid | None:
        """Return why the content is invalid; None if it is valid, absent or not to be checked."""
        if not data:
            return None
        if selected is Selected.REJECT:
            return _OTHER_TYPE
        coding = headers.joined(b"content-encoding")
        if selected is Selected.SNIFF and not looks_like_xml(beginning(data, coding)):
            return None
        self._checked.add()
        kind, message = _described(headers, is_request)
        try:
            self._validator.check(decoded(data, coding, self.options.max_size, end), kind.charset, message)
        except Unreadable as problem:
            return Invalid(problem.reason, status=problem.status)
        except XmlRefused as refused:
            return Invalid(refused.reason, refused.line, refused.column)
        return None


def _described(headers: Headers, is_request: bool) -> tuple[ContentType, SoapMessage]:
    kind = content_type(headers.get(b"content-type"))
    return kind, soap_message(headers, kind, is_request)
