from __future__ import annotations

import pytest
from adc_plugins.waf.engine import Ruleset
from adc_plugins.waf.tools.audit_log import read_record
from adc_plugins.waf.tools.reproduce import reproduced
from adc_plugins.waf.tools.trial import run

from tests.unit.plugins.waf.tools.records import line, match

VALUE = "ev il&=;ü"
RULES = f"""
SecRule ARGS|ARGS_NAMES|REQUEST_HEADERS|REQUEST_COOKIES|REQUEST_URI_RAW "@contains {VALUE}" "id:7,phase:2,pass,log"
SecRule REQUEST_HEADERS:Content-Type "@beginsWith application/json" \
    "id:8,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON"
"""


@pytest.mark.parametrize(
    ("method", "target", "variable", "key", "name"),
    [
        ("GET", "/search?q=1", "ARGS", "q", "ARGS:q"),
        ("POST", "/search?q=1", "ARGS_GET", "q", "ARGS:q"),
        ("POST", "/search", "ARGS", "q", "ARGS:q"),
        ("POST", "/search", "ARGS", "a&b", "ARGS:a&b"),
        ("POST", "/api", "ARGS", "json.a.b", "ARGS:json.a.b"),
        ("POST", "/api", "ARGS", "json.list.array_0.b", "ARGS:json.list.array_0.b"),
        ("GET", "/search", "ARGS_NAMES", VALUE, f"ARGS_NAMES:{VALUE}"),
        ("GET", "/", "REQUEST_HEADERS", "User-Agent", "REQUEST_HEADERS:User-Agent"),
        ("GET", "/", "REQUEST_HEADERS", "X-Own", "REQUEST_HEADERS:X-Own"),
    ],
)
def test_rule_matches_the_same_variable_again(
    method: str, target: str, variable: str, key: str, name: str
) -> None:
    value = VALUE if variable != "REQUEST_COOKIES" else VALUE.replace(";", "")
    record = read_record(
        line("r1", match(variable=variable, key=key, value=value), method=method, target=target).encode()
    )
    assert record is not None
    request = reproduced(record, record.matches[0])
    assert request.method == method
    matches = run(Ruleset.load([("rules.conf", RULES)]), request).matches
    assert name in [found.name for found in matches]


def test_cookie_is_sent_again() -> None:
    record = read_record(line("r1", match(variable="REQUEST_COOKIES", key="a", value="evil")).encode())
    assert record is not None
    assert ("Cookie", "a=evil") in reproduced(record, record.matches[0]).headers


def test_other_variables_are_those_of_the_recorded_target() -> None:
    record = read_record(line("r1", match(variable="REQUEST_URI", key="", value="/search?q=evil")).encode())
    assert record is not None
    assert reproduced(record, record.matches[0]).target == "/search?q=evil"
