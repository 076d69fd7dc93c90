from __future__ import annotations

import pytest

from adc.telemetry.template import FIELDS, compile_template
from tests.unit.telemetry.finished import Finished, request


def test_fields_are_filled_in_place() -> None:
    line = compile_template('{client} "{method} {path}" {status} {elapsed} {end_reason}')(Finished())
    assert line == '192.0.2.7 "GET /shop" 200 0.012500 -'


def test_request_fields_are_read_by_name_in_any_case() -> None:
    exchange = Finished(request=request(headers=((b"X-Tenant", b"blue"),)))
    assert compile_template("{header.X-Tenant} {header.x-other}")(exchange) == "blue -"


def test_doubled_braces_and_percent_signs_are_literal() -> None:
    assert compile_template("{{100%s}} {status}")(Finished()) == "{100%s} 200"


def test_values_are_escaped() -> None:
    exchange = Finished(request=request('/a"\n', headers=((b"User-Agent", b"\x1b"),)))
    assert compile_template("{target} {user_agent}")(exchange) == "/a\\x22\\x0A \\x1B"


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_prints_something_with_and_without_a_request(name: str) -> None:
    line = compile_template("{" + name + "}")
    assert line(Finished())
    assert line(Finished(request=None, client="", route="", pool="", member="", listener=""))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{statsu}", r"unknown log field \{statsu\}: did you mean \{status\}\?"),
        ("{zzzzzz}", "known are time"),
        ("no field", "at least one"),
        ("", "at least one"),
        ("{status}\n{client}", "one line"),
        ("{status!r}", "neither"),
        ("{status:>5}", "neither"),
        ("{status", "expected '}'"),
        ("{}", "unknown log field"),
    ],
)
def test_a_bad_template_says_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        compile_template(text)
