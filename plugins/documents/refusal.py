"""What happens to an invalid message: problem details (RFC 9457) or an error page for the client, a field for the
member, an event in the error log."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal
from xml.sax.saxutils import escape

from adc.plugin import Context, Headers, IdentityFields, Response

OnInvalid = Literal["reject", "report"]
Answer = Literal["problem", "page"]
Format = Literal["json", "xml"]

REPORT = IdentityFields(["X-Validation"])
"""The field that tells the member why a request is invalid; no client can send it."""
BAD_GATEWAY = 502
_JSON_FIELDS = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
_XML_FIELDS = {"Content-Type": "application/problem+xml", "Cache-Control": "no-store"}
_FAULT_1_1 = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
    "<faultcode>s:Client</faultcode><faultstring>{}</faultstring></s:Fault></s:Body></s:Envelope>\n"
)
_FAULT_1_2 = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Sender'
    '</s:Value></s:Code><s:Reason><s:Text xml:lang="en">{}</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>\n'
)
_REASON_MOST = 200
_UNPRINTABLE = re.compile(r"[^ -~]")
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why a message is invalid. `details` are more members of the problem; they may have text of the message."""

    reason: str
    line: int = 0
    column: int = 0
    status: int = 400
    details: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        return f"{self.place}{self.reason}"

    @property
    def position(self) -> dict[str, int]:
        """Line and column as far as they are known."""
        return {name: at for name, at in (("line", self.line), ("column", self.column)) if at}

    @property
    def place(self) -> str:
        """`line 3, column 5: `, or nothing."""
        known = ", ".join(f"{name} {at}" for name, at in self.position.items())
        return f"{known}: " if known else ""


def printable(text: str) -> str:
    """Return text for a header field or a log: printable ASCII without quotes, at most 200 characters."""
    return _UNPRINTABLE.sub("?", text[:_REASON_MOST]).replace('"', "'").replace("\\", "/")


def report(context: Context, what: str, found: Sequence[Invalid]) -> None:
    """Log why a message is invalid."""
    first = found[0]
    context.warn(f"{what} is invalid", reason=printable(first.reason), count=len(found), **first.position)


def prepare_request(headers: Headers, responses: bool) -> None:
    """Remove the field that only `mark_request` writes, and with `responses` the request for a part: that could not be
    checked."""
    REPORT.clear(headers)
    if responses:
        headers.remove(b"range", b"if-range")


MISSING = Invalid("content is required")
_WITH_CONTENT = frozenset({"POST", "PUT", "PATCH", "QUERY"})


def must_have_content(method: str) -> bool:
    """True if a request that a schema describes is nothing without content: those of other methods often name a type
    and have none."""
    return method in _WITH_CONTENT


def mark_request(context: Context, what: str, found: Sequence[Invalid]) -> None:
    """Tell the member in a field of the request why it is invalid."""
    first = found[0]
    place = "".join(f"; {name}={at}" for name, at in first.position.items())
    value = f'invalid; part={what}{place}; reason="{printable(first.reason)}"'
    REPORT.write(context.request.headers, [(b"X-Validation", value.encode())])


def refuse_request(
    context: Context,
    found: Sequence[Invalid],
    answer: Answer,
    written: Format,
    title: str,
    fields: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    """Return the response to an invalid request, with more header fields if given."""
    status = found[0].status
    if answer == "page":
        return Response(status, fields, error_page=True)
    accepts_json = b"json" in (context.request.headers.get(b"accept") or b"").lower()
    if written == "json" or accepts_json:
        return Response(status, {**_JSON_FIELDS, **fields}, _json(title, found))
    return Response(status, {**_XML_FIELDS, **fields}, _xml(title, found))


def refuse_response() -> Response:
    """Return the response in place of an invalid one: the client learns nothing of its content."""
    return Response(BAD_GATEWAY, error_page=True)


def soap_fault(found: Invalid, is_1_2: bool) -> Response:
    """Return the response to an invalid SOAP request: a fault of its version (SOAP 1.1 section 4.4, 1.2 5.4)."""
    text = escape(_NO_XML.sub("?", str(found)))
    if is_1_2:
        content = _FAULT_1_2.format(text)
        return Response(
            found.status, {**_XML_FIELDS, "Content-Type": "application/soap+xml; charset=utf-8"}, content
        )
    return Response(
        found.status, {**_XML_FIELDS, "Content-Type": "text/xml; charset=utf-8"}, _FAULT_1_1.format(text)
    )


def _members(title: str, found: Sequence[Invalid]) -> dict[str, Any]:
    first = found[0]
    members: dict[str, Any] = {"type": "about:blank", "title": title, "status": first.status}
    return {**members, "detail": str(first), **first.position}


def _json(title: str, found: Sequence[Invalid]) -> str:
    members = _members(title, found)
    members["errors"] = [_error(each) for each in found]
    return json.dumps(members, ensure_ascii=True) + "\n"


def _error(each: Invalid) -> dict[str, Any]:
    return {**each.details, "detail": each.reason, **each.position}


def _xml(title: str, found: Sequence[Invalid]) -> str:
    members = _members(title, found)
    lines = [f"  <{name}>{escape(_NO_XML.sub('?', str(value)))}</{name}>" for name, value in members.items()]
    text = "\n".join(lines)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<problem xmlns="urn:ietf:rfc:7807">\n{text}\n</problem>\n'
    )
