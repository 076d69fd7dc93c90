"""Access log templates: text with `{field}`s, compiled to one function."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from string import Formatter
from types import MappingProxyType

from adc.http.message import Request
from adc.telemetry.escape import escape_bytes, escape_text
from adc.telemetry.record import LogRecord
from adc.telemetry.timestamps import clf_time, iso_time
from adc.telemetry.tracing import parse_traceparent

Field = Callable[[LogRecord], str]

HEADER_PREFIX = "header."


def compile_template(text: str) -> Field:
    """Return a function that fills the fields of `text`; `{{` and `}}` stand for braces.

    Values are escaped as in a quoted field and `-` when empty. `{header.NAME}` is the request field NAME.
    Raises ValueError, naming the nearest known field, if a field is unknown, if there is none at all, or if
    the text around the fields has a control character.
    """
    pattern, fields = "", []
    for literal, name, spec, conversion in Formatter().parse(text):
        if literal and not literal.isprintable():
            raise ValueError("a log format must be one line without control characters")
        pattern += literal.replace("%", "%%")
        if name is None:
            continue
        if spec or conversion:
            raise ValueError(f"{{{name}}} takes neither a conversion nor a format")
        pattern += "%s"
        fields.append(_field(name))
    if not fields:
        raise ValueError("a log format is `combined`, `json`, or a template with at least one {field}")
    return lambda record: pattern % tuple([field(record) for field in fields])


def _field(name: str) -> Field:
    if name.startswith(HEADER_PREFIX):
        return _header(name.removeprefix(HEADER_PREFIX).lower().encode())
    if name in FIELDS:
        return FIELDS[name]
    near = difflib.get_close_matches(name, FIELDS, n=1)
    hint = f"did you mean {{{near[0]}}}?" if near else f"known are {', '.join(FIELDS)}, {HEADER_PREFIX}NAME"
    raise ValueError(f"unknown log field {{{name}}}: {hint}")


def _header(name: bytes) -> Field:
    def field(record: LogRecord) -> str:
        request = record.request
        value = request.headers.get(name) if request else None
        return escape_bytes(value) if value else "-"

    return field


def _of_record(get: Callable[[LogRecord], str]) -> Field:
    return lambda record: escape_text(get(record)) or "-"


def _of_request(get: Callable[[Request], str]) -> Field:
    def field(record: LogRecord) -> str:
        request = record.request
        return (escape_text(get(request)) or "-") if request else "-"

    return field


def _trace_id(request: Request) -> str:
    """Return the trace that the client's `traceparent` names."""
    context = parse_traceparent(request.proxy_fields.get(b"traceparent", b""))
    return "" if context is None else context.trace_id


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "time": lambda record: clf_time(int(record.started)),
        "time_iso": lambda record: iso_time(record.started),
        "time_unix": lambda record: f"{record.started:.3f}",
        "client": _of_record(lambda record: record.client),
        "listener": _of_record(lambda record: record.listener),
        "peer": _of_request(lambda request: request.client.peer),
        "scheme": _of_request(lambda request: request.scheme),
        "sni": _of_request(lambda request: request.client.sni),
        "method": _of_request(lambda request: request.method),
        "authority": _of_request(lambda request: request.authority),
        "host": _of_request(lambda request: request.host),
        "target": _of_request(lambda request: request.target),
        "path": _of_request(lambda request: request.path),
        "query": _of_request(lambda request: request.query),
        "version": _of_request(lambda request: request.version),
        "referer": _header(b"referer"),
        "user_agent": _header(b"user-agent"),
        "status": lambda record: str(record.status),
        "bytes_in": lambda record: str(record.bytes_in),
        "bytes_out": lambda record: str(record.bytes_out),
        "elapsed": lambda record: f"{record.elapsed:.6f}",
        "upstream_elapsed": lambda record: f"{record.upstream_elapsed:.6f}",
        "route": _of_record(lambda record: record.route),
        "pool": _of_record(lambda record: record.pool),
        "member": _of_record(lambda record: record.member),
        "attempts": lambda record: str(record.attempts),
        "cache": _of_record(lambda record: record.cache),
        "request_id": _of_record(lambda record: record.request_id),
        "trace_id": _of_request(_trace_id),
        "end_reason": _of_record(lambda record: record.end_reason),
    }
)
"""Every field that a template may name."""
