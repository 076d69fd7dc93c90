"""Access log formats: each compiles to one function from a record to a line without its newline."""

from __future__ import annotations

from collections.abc import Callable

from adc.telemetry.escape import escape_bytes, escape_text, is_plain, json_bytes, json_text
from adc.telemetry.record import LogRecord
from adc.telemetry.template import compile_template
from adc.telemetry.timestamps import clf_time, iso_time

Format = Callable[[LogRecord], str]


def compile_format(text: str) -> Format:
    """The function for `combined`, `json`, or a template such as `{client} {method} {path} {status}`.

    Raises ValueError, saying what is allowed, for a template with an unknown field or with none.
    """
    if text == "combined":
        return combined
    return json_line if text == "json" else compile_template(text)


def combined(record: LogRecord) -> str:
    """The combined format of Apache and nginx. The user is always `-`: credentials are the member's business.

    The client's texts are checked in one go and escaped one by one only if something is wrong with them.
    """
    client, when = record.client or "-", clf_time(int(record.started))
    request = record.request
    if request is None:
        return f'{escape_text(client)} - - [{when}] "-" {record.status} {record.bytes_out} "-" "-"'
    get = request.headers.index.get
    referer, agent = get(b"referer", b"-"), get(b"user-agent", b"-")
    line = f"{request.method} {request.target} HTTP/{request.version}"
    fields = (referer + agent).decode("latin-1")
    if is_plain(client + line + fields):
        first, second = fields[: len(referer)], fields[len(referer) :]
    else:
        client, line = escape_text(client), escape_text(line)
        first, second = escape_bytes(referer), escape_bytes(agent)
    return f'{client} - - [{when}] "{line}" {record.status} {record.bytes_out} "{first}" "{second}"'


def json_line(record: LogRecord) -> str:
    """One JSON object; the keys of the request are missing if its head was never complete."""
    request = record.request
    asked = ""
    if request is not None:
        get = request.headers.index.get
        asked = (
            f'"method":{json_text(request.method)},"scheme":{json_text(request.scheme)},'
            f'"authority":{json_text(request.authority)},"target":{json_text(request.target)},'
            f'"version":{json_text(request.version)},"peer":{json_text(request.peer)},'
            f'"referer":{json_bytes(get(b"referer", b""))},'
            f'"user_agent":{json_bytes(get(b"user-agent", b""))},'
        )
    return (
        f'{{"time":"{iso_time(record.started)}","client":{json_text(record.client)},{asked}'
        f'"status":{record.status},"bytes_in":{record.bytes_in},"bytes_out":{record.bytes_out},'
        f'"elapsed":{record.elapsed:.6f},"upstream_elapsed":{record.upstream_elapsed:.6f},'
        f'"listener":{json_text(record.listener)},"route":{json_text(record.route)},'
        f'"pool":{json_text(record.pool)},"member":{json_text(record.member)},'
        f'"attempts":{record.attempts},"cache":{json_text(record.cache)},'
        f'"request_id":{json_text(record.request_id)},"end_reason":{json_text(record.end_reason)}}}'
    )
