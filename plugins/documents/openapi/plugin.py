"""Messages of an API, checked against its OpenAPI document."""

from __future__ import annotations

from adc_plugins.documents.openapi.operations import Operation, ResponseRules
from adc_plugins.documents.openapi.options import OpenApiOptions
from adc_plugins.documents.openapi.validator import ApiValidator
from adc_plugins.documents.refusal import (
    REPORT,
    Invalid,
    mark_request,
    prepare_request,
    refuse_request,
    refuse_response,
    report,
)
from adc_plugins.documents.selection import UNUSED

from adc.plugin import Context, Host, Plugin, Response

_OPERATION = "operation"
_RULES = "rules"
_NOT_ALLOWED = 405


class OpenApi(Plugin[OpenApiOptions]):
    """Rejects or reports requests and responses that an OpenAPI document does not allow."""

    checks = True
    identity = REPORT

    def __init__(self, options: OpenApiOptions) -> None:
        super().__init__(options)
        self._validator = ApiValidator(options)
        self._reports = options.on_invalid == "report"
        self._requests = options.on != "response"
        self._responses = options.on != "request"
        self.request_body_inspect = options.max_size + 1
        self.response_body_inspect = options.max_size + 1
        self.unused = UNUSED[options.on]

    async def start(self, host: Host) -> None:
        self._checked = host.counter("checked", "Requests of the API that were checked.")
        self._invalid = host.counter("invalid", "Messages that were invalid.")

    def request_head(self, context: Context) -> Response | None:
        """Find the operation and check its parameters."""
        headers = context.request.headers
        prepare_request(headers, self._responses)
        self._checked.add()
        found = self._validator.request(context.request)
        context.state[_OPERATION] = found.operation
        if found.operation is None or not (
            self._requests and self._validator.reads(found.operation, headers)
        ):
            context.skip_request_body()
        if not (self._requests and found.errors):
            return None
        return self._invalid_request(context, found.errors, found.allow)

    def request_body(self, context: Context, data: bytes, end: bool) -> Response | None:
        """Check the content of a request."""
        operation: Operation | None = context.state.get(_OPERATION)
        if operation is None:
            return None
        found = self._validator.request_content(operation, context.request.headers, data, end)
        return self._invalid_request(context, found) if found else None

    def response_head(self, context: Context) -> Response | None:
        """Check status and fields of a response."""
        operation: Operation | None = context.state.get(_OPERATION)
        response = context.response
        if operation is None or response is None:
            context.skip_response_body()
            return None
        rules = context.state[_RULES] = self._validator.response_rules(operation, response)
        if rules is None:
            context.skip_response_body()
        return self._invalid_response(context, self._validator.response_head(operation, response))

    def response_body(self, context: Context, data: bytes, end: bool) -> Response | None:
        """Check the content of a response."""
        rules: ResponseRules | None = context.state.get(_RULES)
        response = context.response
        if rules is None or response is None:
            return None
        return self._invalid_response(
            context, self._validator.response_content(rules, response.headers, data, end)
        )

    def _invalid_request(self, context: Context, found: list[Invalid], allow: str = "") -> Response | None:
        self._invalid.add()
        report(context, "request", found)
        if self._reports:
            mark_request(context, "openapi", found)
            return None
        fields = {"Allow": allow} if found[0].status == _NOT_ALLOWED else {}
        return refuse_request(context, found, self.options.answer, "json", "Invalid request", fields)

    def _invalid_response(self, context: Context, found: list[Invalid]) -> Response | None:
        if not found:
            return None
        self._invalid.add()
        report(context, "response", found)
        return None if self._reports else refuse_response()
