from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.http.headers import Headers
from adc.http.message import Request
from adc.telemetry.error_log import ErrorLog
from adc.telemetry.formats import compile_format
from tests.unit.telemetry.finished import Finished

anything = st.text(st.characters(exclude_categories=())) | st.binary().map(
    lambda data: data.decode("utf-8", "surrogateescape")
)
exchanges = st.builds(
    Finished,
    request=st.none()
    | st.builds(
        lambda texts, agent, referer: Request(
            *texts, Headers([(b"User-Agent", agent), (b"Referer", referer), (b"X-A", agent)])
        ),
        st.tuples(*[anything] * 6),
        st.binary(),
        st.binary(),
    ),
    client=anything,
    route=anything,
    pool=anything,
    member=anything,
    request_id=anything,
    cache=anything,
    listener=anything,
)

combined = compile_format("combined")
json_line = compile_format("json")
template = compile_format(
    '{client} "{method} {target} {path} {query}" {header.x-a} {route} {member} {request_id}'
)


def is_one_line(line: str) -> bool:
    return line.isascii() and line.isprintable()


@given(exchanges)
def test_any_bytes_in_any_field_make_one_printable_line(exchange: Finished) -> None:
    assert is_one_line(combined(exchange).decode())
    assert is_one_line(json_line(exchange).decode())
    assert is_one_line(template(exchange).decode())


@given(exchanges)
def test_quotes_in_a_combined_line_are_only_those_of_the_format(exchange: Finished) -> None:
    assert combined(exchange).count(b'"') == 6


@given(exchanges)
def test_json_parses_back_to_the_same_text(exchange: Finished) -> None:
    row = json.loads(json_line(exchange))
    assert row["route"] == exchange.route.encode("utf-8", "backslashreplace").decode()
    assert row["client"] == exchange.client.encode("utf-8", "backslashreplace").decode()
    if exchange.request is not None:
        agent = exchange.request.proxy_fields.get(b"user-agent", b"")
        assert row["user_agent"] == agent.decode("utf-8", "backslashreplace")


@given(st.dictionaries(st.sampled_from(["reason", "client", "detail"]), anything | st.binary() | st.floats()))
def test_error_log_lines_are_one_line_and_parse_back(
    tmp_path_factory: pytest.TempPathFactory, fields: dict[str, object]
) -> None:
    for style in ("text", "json"):
        path = tmp_path_factory.getbasetemp() / f"error.{style}"
        path.unlink(missing_ok=True)
        log = ErrorLog(str(path), style)
        log.warn("x", **fields)
        log.close()
        line = path.read_bytes().decode("ascii")
        assert line.endswith("\n")
        assert is_one_line(line[:-1])
    assert {"ts", "level", "event", *fields} == set(json.loads(line))
