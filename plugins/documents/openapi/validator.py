"""Requests and responses compared with a document: decisions without I/O."""

from __future__ import annotations

from typing import NamedTuple

from adc_plugins.documents.content import ContentType, Unreadable, content_type, decoded
from adc_plugins.documents.openapi.bodies import Content
from adc_plugins.documents.openapi.checked_document import checked_document
from adc_plugins.documents.openapi.document import BadDocument
from adc_plugins.documents.openapi.operations import Api, Operation, ResponseRules
from adc_plugins.documents.openapi.options import OpenApiOptions
from adc_plugins.documents.openapi.parameters import Given
from adc_plugins.documents.openapi.styles import query_pairs
from adc_plugins.documents.refusal import Invalid

from adc.plugin import Headers, OptionErrors, Request, ResponseHead

_SAFE_FALLBACK = {"HEAD": "GET"}
_NOT_MODIFIED = 304


class Checked(NamedTuple):
    """The operation of a request, None if the document has none, and what is wrong with the head. `allow`: the methods
    of the path, if another was used."""

    operation: Operation | None
    errors: list[Invalid]
    allow: str = ""


class ApiValidator:
    """Checks messages. Raises OptionErrors for a document that cannot be used."""

    def __init__(self, options: OpenApiOptions) -> None:
        self._options = options
        self._limits = options.limits
        try:
            document = checked_document(options.document)
            self._api = Api(document, options.base_path, options.formats, options.on != "request")
        except BadDocument as error:
            raise OptionErrors([(("document",), str(error))]) from None

    def request(self, request: Request) -> Checked:
        """Return the operation of a request, and what is wrong with its head."""
        options = self._options
        below = self._api.relative(request.path)
        matched = None if below is None else self._api.paths.find(below)
        if matched is None:
            refused = options.unknown_path == "reject"
            return Checked(None, [Invalid("the API has no such path", status=404)] if refused else [])
        operation = matched.item.get(request.method)
        if operation is None:
            operation = matched.item.get(_SAFE_FALLBACK.get(request.method, ""))
        if operation is None:
            refused = options.unknown_method == "reject"
            errors = [Invalid("the path has no such method", status=405)] if refused else []
            return Checked(None, errors, ", ".join(matched.item))
        given = _given(operation, matched.values, request)
        errors = [error for parameter in operation.parameters for error in parameter.errors(given)]
        if options.unknown_query == "reject":
            errors += _unknown_query(operation, given)
        return Checked(operation, errors)

    def reads(self, operation: Operation, headers: Headers) -> bool:
        """True if the content of a request must be read."""
        body = operation.body
        if body is None:
            return False
        if len(headers.get_all(b"content-type")) > 1:
            return True
        return operation.body_required or body.is_checked(content_type(headers.get(b"content-type")))

    def request_content(
        self, operation: Operation, headers: Headers, data: bytes, end: bool
    ) -> list[Invalid]:
        """Return what is wrong with the content of a request."""
        body = operation.body
        if body is None:
            return []
        if len(headers.get_all(b"content-type")) > 1:
            return [Invalid("the content type is repeated", status=415, details={"in": "body"})]
        if not data:
            missing = Invalid("content is required", details={"in": "body"})
            return [missing] if operation.body_required else []
        return self._content(body, headers, data, end)

    def response_head(self, operation: Operation, response: ResponseHead) -> list[Invalid]:
        """Return what is wrong with the head of a response."""
        if response.status == _NOT_MODIFIED:
            return []
        rules = operation.response(response.status)
        if rules is None:
            return [Invalid(f"the status {response.status} is not described")]
        given = Given({}, (), (), _fields(response.headers))
        return [error for header in rules.headers for error in header.errors(given)]

    def response_rules(self, operation: Operation, response: ResponseHead) -> ResponseRules | None:
        """Return the rules for the content of a response, None if it need not be read."""
        rules = operation.response(response.status)
        if rules is None or not rules.content.is_checked(content_type(response.headers.get(b"content-type"))):
            return None
        return rules

    def response_content(
        self, rules: ResponseRules, headers: Headers, data: bytes, end: bool
    ) -> list[Invalid]:
        """Return what is wrong with the content of a response."""
        return self._content(rules.content, headers, data, end) if data else []

    def _content(self, described: Content, headers: Headers, data: bytes, end: bool) -> list[Invalid]:
        kind: ContentType = content_type(headers.get(b"content-type"))
        if not described.is_checked(kind):
            return []
        try:
            content = decoded(data, headers.joined(b"content-encoding"), self._options.max_size, end)
        except Unreadable as problem:
            return [Invalid(problem.reason, status=problem.status, details={"in": "body"})]
        return described.errors(content, kind, self._limits)


def _given(operation: Operation, values: dict[str, str], request: Request) -> Given:
    """Return the parameters of a request, as far as the operation has any there."""
    places, headers = operation.places, request.headers
    return Given(
        values,
        query_pairs(request.query) if request.query else [],
        _cookies(headers) if "cookie" in places else [],
        _fields(headers) if "header" in places else {},
    )


def _fields(headers: Headers) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


def _cookies(headers: Headers) -> list[tuple[str, str]]:
    pairs = []
    for field in headers.get_all(b"cookie"):
        for part in field.decode("latin-1").split(";"):
            name, _, value = part.strip(" \t").partition("=")
            pairs.append((name, value))
    return pairs


def _unknown_query(operation: Operation, given: Given) -> list[Invalid]:
    query = [parameter for parameter in operation.parameters if parameter.place == "query"]
    return [
        Invalid("the query has a parameter that the operation does not have", details={"in": "query"})
        for name in dict.fromkeys(name for name, _ in given.query)
        if not any(parameter.takes(name) for parameter in query)
    ]
