"""A request in which a rule matches as it did in a recorded one; its content is not recorded, so it is made up."""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from adc_plugins.waf.code.examples import ExampleRequest, Fields, completed
from adc_plugins.waf.tools.audit_log import AuditRecord, MatchRecord

MASK: Final = "***"
"""What the audit log has in place of sensitive values."""

_ARGUMENTS: Final = frozenset({"ARGS", "ARGS_GET", "ARGS_POST"})
_NAMES: Final = frozenset({"ARGS_NAMES", "ARGS_GET_NAMES", "ARGS_POST_NAMES"})
_FIELD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FORM: Final = (("Content-Type", "application/x-www-form-urlencoded"),)
_JSON: Final = (("Content-Type", "application/json"),)


def reproduced(record: AuditRecord, match: MatchRecord) -> ExampleRequest:
    """Return the request of `record`, with the value that `match` names where that value was."""
    path, _, query = record.target.partition("?")
    method = record.method
    headers: Fields = (("Host", record.host or "www.example.com"),)
    if match.variable in _ARGUMENTS | _NAMES:
        name, value = (match.key, match.value) if match.variable in _ARGUMENTS else (match.value, "")
        return _with_argument(method, path, query, headers, name, value)
    if match.variable == "REQUEST_HEADERS" and _FIELD.fullmatch(match.key):
        headers = tuple(field for field in headers if field[0].lower() != match.key.lower())
        return _request(method, path, (*headers, (match.key, _one_line(match.value))))
    if match.variable == "REQUEST_COOKIES":
        return _request(method, path, (*headers, ("Cookie", f"{match.key}={_one_line(match.value)}")))
    return _request(method, record.target, headers)


def _with_argument(
    method: str, path: str, query: str, headers: Fields, name: str, value: str
) -> ExampleRequest:
    if method in ("GET", "HEAD") or name in dict(parse_qsl(query, keep_blank_values=True)):
        return _request(method, f"{path}?{_encoded(name)}={_encoded(value)}", headers)
    if name.startswith("json."):
        body = json.dumps(_nested(name.split(".")[1:], value)).encode()
        return _request(method, path, (*headers, *_JSON), body)
    return _request(method, path, (*headers, *_FORM), f"{_encoded(name)}={_encoded(value)}".encode())


def _request(method: str, target: str, headers: Fields, body: bytes = b"") -> ExampleRequest:
    return ExampleRequest(method, target, "HTTP/1.1", completed(headers, body), body)


def _encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe="")


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())


def _nested(keys: list[str], value: str) -> Any:
    """Return the JSON value in which `keys` lead to `value`; `array_0` is an item of a list."""
    for key in reversed(keys):
        value = [value] if re.fullmatch(r"array_\d+", key) else {key: value}  # type: ignore[assignment]
    return value
