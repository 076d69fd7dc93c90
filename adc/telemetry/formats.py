"""Access log formats: each compiles to one function from a record to a line without its newline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from adc.http.message import Request
from adc.telemetry.escape import FIELD_LIMIT, escape_bytes, escape_text, is_plain, json_text
from adc.telemetry.record import LogRecord
from adc.telemetry.template import compile_template
from adc.telemetry.timestamps import clf_time, iso_time


class _Second:
    """The second of the last line, and its text: most lines are of the same second."""

    __slots__ = ("_number", "_text")

    def __init__(self) -> None:
        self._number = -1
        self._text = b""

    def text(self, number: int) -> bytes:
        """Return the second `number`, since the epoch, as the common log format has it."""
        if number != self._number:
            self._number, self._text = number, clf_time(number).encode()
        return self._text


_SECOND: Final = _Second()

Format = Callable[[LogRecord], bytes]

_REQUEST_KEYS: Final = ("method", "scheme", "authority", "target", "version", "peer", "referer", "user_agent")
_RECORD_KEYS: Final = ("client", "listener", "route", "pool", "member", "cache", "request_id", "end_reason")
_OTHERS_MARKED: Final = bytes(
    [code if 0x20 <= code < 0x7F and code not in b'"\\' else 0xFF - (code == 0xFF) for code in range(0x100)]
)
"""A table for `bytes.translate` that changes all but the plain characters."""
_NUMBERS: Final = [str(number).encode() for number in range(1000)]
_NO_REQUEST: Final = ("",) * len(_REQUEST_KEYS)
_ENOUGH: Final = FIELD_LIMIT + 1
"""Bytes of a value that are decoded: they show that it is to be cut."""

_JSON: Final = (
    '{"time":"%s",'
    + "".join(f'"{key}":"%s",' for key in _REQUEST_KEYS + _RECORD_KEYS)
    + '"status":%d,"bytes_in":%d,"bytes_out":%d,"elapsed":%.6f,"upstream_elapsed":%.6f,"attempts":%d}'
)


def compile_format(text: str) -> Format:
    """Return the function for `combined`, `json`, or a template such as `{client} {method} {path} {status}`.

    Raises ValueError, with the allowed fields, for a template with an unknown field or with none.
    """
    if text == "combined":
        return combined
    if text == "json":
        return json_line
    template = compile_template(text)
    return lambda record: template(record).encode("utf-8", "backslashreplace")


def _number(number: int) -> bytes:
    return _NUMBERS[number] if 0 <= number < len(_NUMBERS) else str(number).encode("ascii")


def combined(record: LogRecord) -> bytes:
    """Return the combined format of Apache and nginx. The user is always `-`: credentials are the member's business.

    The texts of the client are checked together: a table that changes all but plain characters leaves them as they are.
    Only if something is wrong with them, or if they are long, are they escaped and bounded one by one.
    """
    request, when = record.request, _SECOND.text(int(record.started))
    text = record.client or "-"
    status, size = _number(record.status), _number(record.bytes_out)
    if request is None:
        return b'%b - - [%b] "-" %b %b "-" "-"' % (escape_text(text).encode("ascii"), when, status, size)
    fields = request.proxy_fields
    referer, agent = fields.get(b"referer", b"-"), fields.get(b"user-agent", b"-")
    line = f"{request.method} {request.target} HTTP/{request.version}"
    try:
        client, asked = text.encode("ascii"), line.encode("ascii")
        octets = b"%b%b%b%b" % (client, asked, referer, agent)
        if len(octets) <= FIELD_LIMIT and octets.translate(_OTHERS_MARKED) == octets:
            return b'%b - - [%b] "%b" %b %b "%b" "%b"' % (client, when, asked, status, size, referer, agent)
    except UnicodeEncodeError:
        pass
    client, asked = escape_text(text).encode("ascii"), escape_text(line).encode("ascii")
    referer, agent = escape_bytes(referer).encode("ascii"), escape_bytes(agent).encode("ascii")
    return b'%b - - [%b] "%b" %b %b "%b" "%b"' % (client, when, asked, status, size, referer, agent)


def json_line(record: LogRecord) -> bytes:
    """Return one JSON object; texts of the request are empty if its head was never complete."""
    texts = (
        *_request_texts(record.request),
        record.client,
        record.listener,
        record.route,
        record.pool,
        record.member,
        record.cache,
        record.request_id,
        record.end_reason,
    )
    joined = "".join(texts)
    if len(joined) > FIELD_LIMIT or not is_plain(joined):
        texts = tuple([json_text(text)[1:-1] for text in texts])
    line = _JSON % (
        iso_time(record.started),
        *texts,
        record.status,
        record.bytes_in,
        record.bytes_out,
        record.elapsed,
        record.upstream_elapsed,
        record.attempts,
    )
    return line.encode("ascii")


def _request_texts(request: Request | None) -> tuple[str, ...]:
    if request is None:
        return _NO_REQUEST
    get = request.proxy_fields.get
    return (
        request.method,
        request.scheme,
        request.authority,
        request.target,
        request.version,
        request.client.peer,
        get(b"referer", b"")[:_ENOUGH].decode("utf-8", "backslashreplace"),
        get(b"user-agent", b"")[:_ENOUGH].decode("utf-8", "backslashreplace"),
    )
