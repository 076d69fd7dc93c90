"""JSON of requests and responses, checked against limits and a schema."""

from __future__ import annotations

from adc_plugins.documents.content import Unreadable, beginning, content_type, decoded
from adc_plugins.documents.json.options import JsonValidationOptions
from adc_plugins.documents.json.validator import JsonValidator
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
)
from adc_plugins.documents.selection import UNUSED, Selected, Selection

from adc.plugin import Context, Headers, Host, Plugin, Request, Response

_TITLE = "Invalid JSON"
_OTHER_TYPE = Invalid("the content type is not JSON", status=415)
_SPACES = b" \t\r\n\0\xef\xbb\xbf\xff\xfe"


class JsonValidation(Plugin[JsonValidationOptions]):
    """Rejects or reports JSON that is malformed, hostile, or not valid by a schema."""

    checks = True
    identity = REPORT

    def __init__(self, options: JsonValidationOptions) -> None:
        super().__init__(options)
        self._validator = JsonValidator(options)
        self._selection = Selection(options.content_types, options.other_types)
        self._reports = options.on_invalid == "report"
        self._responses = options.on != "request"
        self.request_body_inspect = options.max_size + 1
        self.response_body_inspect = options.max_size + 1
        self.unused = UNUSED[options.on]

    async def start(self, host: Host) -> None:
        self._checked = host.counter("checked", "Documents checked.")
        self._invalid = host.counter("invalid", "Documents that were invalid.")

    def request_head(self, context: Context) -> None:
        """Choose by the content type whether the content is checked."""
        headers = context.request.headers
        prepare_request(headers, self._responses)
        if self._selected(headers) is Selected.PASS:
            context.skip_request_body()

    def request_body(self, context: Context, data: bytes, end: bool) -> Response | None:
        """Check a request."""
        headers = context.request.headers
        found = self._examined(headers, data, end, self._selected(headers))
        if not data and self._is_missing(context.request):
            found = [MISSING]
        if not found:
            return None
        self._note(context, "request", found)
        if self._reports:
            mark_request(context, "json", found)
            return None
        return refuse_request(context, found, self.options.answer, "json", _TITLE)

    def response_head(self, context: Context) -> None:
        """Choose by the content type whether the content is checked."""
        response = context.response
        assert response is not None
        field = response.headers.get(b"content-type")
        if self._selection.of_response(field) is Selected.PASS and not self._in_lines(field):
            context.skip_response_body()

    def response_body(self, context: Context, data: bytes, end: bool) -> Response | None:
        """Check a response."""
        response = context.response
        assert response is not None
        found = self._examined(response.headers, data, end, Selected.CHECK)
        if not found:
            return None
        self._note(context, "response", found)
        return None if self._reports else refuse_response()

    def _is_missing(self, request: Request) -> bool:
        """True if a request without content should have a document: no schema allows nothing at all. A request of lines
        may have none."""
        if self.options.json_schema is None or not must_have_content(request.method):
            return False
        selected = self._selected(request.headers)
        return selected is Selected.CHECK and not self._in_lines(request.headers.get(b"content-type"))

    def _in_lines(self, field: bytes | None) -> bool:
        types = self.options.ndjson
        return types is not False and types.covers(field or b"")

    def _selected(self, headers: Headers) -> Selected:
        fields = headers.get_all(b"content-type")
        if len(fields) == 1 and self._in_lines(fields[0]):
            return Selected.CHECK
        return self._selection.of_request(headers)

    def _note(self, context: Context, what: str, found: list[Invalid]) -> None:
        self._invalid.add()
        report(context, what, found)

    def _examined(self, headers: Headers, data: bytes, end: bool, selected: Selected) -> list[Invalid]:
        """Return why the content is invalid; nothing if it is valid, absent or not to be checked."""
        if not data:
            return []
        if selected is Selected.REJECT:
            return [_OTHER_TYPE]
        coding = headers.joined(b"content-encoding")
        if selected is Selected.SNIFF and not _looks_like_json(beginning(data, coding)):
            return []
        self._checked.add()
        field = headers.get(b"content-type")
        if content_type(field).charset.lower() not in ("", "utf-8", "utf8", "us-ascii"):
            return [Invalid("the charset of JSON is UTF-8", status=415)]
        try:
            content = decoded(data, coding, self.options.max_size, end)
        except Unreadable as problem:
            return [Invalid(problem.reason, status=problem.status)]
        lines = self._in_lines(field)
        return self._validator.check_lines(content) if lines else self._validator.check(content)


def _looks_like_json(content: bytes) -> bool:
    return content.lstrip(_SPACES)[:1] in (b"{", b"[")
