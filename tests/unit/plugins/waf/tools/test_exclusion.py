from __future__ import annotations

from datetime import date
from urllib.parse import quote

import pytest
from adc_plugins.waf.code.examples import parse_request
from adc_plugins.waf.engine import Ruleset
from adc_plugins.waf.seclang.parse import parse
from adc_plugins.waf.tools.exclusion import Exclusion, dead_exclusions, free_id, last_day, target_of
from adc_plugins.waf.tools.trial import run

RULE = 'SecRule ARGS|ARGS_NAMES|REQUEST_HEADERS "@contains evil" "id:7,phase:2,pass,log"\n'
NOW = 1_800_000_000.0
TODAY = date(2027, 1, 15)


def matched(exclusion: Exclusion, request: str, now: float = NOW) -> bool:
    ruleset = Ruleset.load([("exclusions.conf", exclusion.directive(445_001)), ("rules.conf", RULE)])
    return bool(run(ruleset, parse_request(request), clock=lambda: now).matches)


def exclusion(target: str = "ARGS:q", path: bytes = b"/search", expires: date = TODAY) -> Exclusion:
    return Exclusion(7, target, path, expires, "request 1")


@pytest.mark.parametrize(
    ("request_text", "matches"),
    [
        ("GET /search?q=evil", False),
        ("GET /search?Q=evil", False),
        ("GET /search?other=evil", True),
        ("GET /search/more?q=evil", True),
        ("GET /?q=evil", True),
        ("GET /search?evil=q", True),
        ("GET /search?q=1\nX-A: evil", True),
    ],
)
def test_exclusion_holds_for_one_argument_of_one_path(request_text: str, matches: bool) -> None:
    assert matched(exclusion(), request_text) is matches


def test_exclusion_ends_with_its_last_day() -> None:
    end = (TODAY - date(1970, 1, 1)).days * 86_400 + 86_400
    assert not matched(exclusion(), "GET /search?q=evil", end - 1)
    assert matched(exclusion(), "GET /search?q=evil", end)


def test_exclusion_without_a_target_holds_for_the_whole_rule() -> None:
    assert not matched(exclusion(target=""), "GET /search?any=evil")
    assert matched(exclusion(target=""), "GET /?any=evil")


@pytest.mark.parametrize(
    "key", ["a.b[0]", "a|b", "a,b", "a'b", 'a"b', "a b", "/a/", "a\\b", "a%{b}", "json.a.array_0", "é"]
)
def test_any_key_can_be_excluded(key: str) -> None:
    target = target_of("ARGS", key)
    assert not matched(exclusion(target), f"GET /search?{quote(key)}=evil")
    assert matched(exclusion(target), f"GET /search?{quote(key)}x=evil")


@pytest.mark.parametrize("path", ["/a b", '/a"b', "/a'b,c", "/a%{b}", "/a\\b", "/é", "/a.b", "/a/b"])
def test_any_path_can_be_excluded(path: str) -> None:
    target = path.replace(" ", "+")
    raw = target.encode()
    assert not matched(exclusion(path=raw), f"GET {target}?q=evil")
    assert matched(exclusion(path=raw), f"GET {target}x?q=evil")


def test_ids_that_are_used_are_not_used_again() -> None:
    assert free_id(parse([("a.conf", exclusion().directive(445_001))])) == 445_002
    assert free_id(parse([("a.conf", RULE)])) == 445_001


def test_expired_exclusion_is_a_warning() -> None:
    program = parse([("a.conf", exclusion().directive(445_001)), ("b.conf", RULE)])
    assert list(dead_exclusions(program, NOW)) == []
    (warning,) = dead_exclusions(program, NOW + 2 * 86_400)
    assert str(warning) == "a.conf:2: exclusion 445001 expired on 2027-01-15; remove it"


def test_exclusion_of_a_rule_that_does_not_exist_is_a_warning() -> None:
    (warning,) = dead_exclusions(parse([("a.conf", exclusion().directive(445_001))]), NOW)
    assert str(warning) == (
        "a.conf:4: rule 445001: ctl:ruleRemoveTargetById names 7, and there is no such rule"
    )


def test_rule_removal_that_names_a_range_with_a_rule_is_no_warning() -> None:
    lines = [
        f'SecAction "id:{number},pass,ctl:ruleRemoveById={ids}"\n' for number, ids in ((1, "5-9"), (2, "8-9"))
    ]
    text = "".join(lines)
    (warning,) = dead_exclusions(parse([("a.conf", text + RULE)]), NOW)
    assert str(warning) == "a.conf:2: rule 2: ctl:ruleRemoveById names 8-9, and there is no such rule"


def test_last_day_counts_from_today() -> None:
    assert last_day(90, NOW) == date(2027, 4, 15)
