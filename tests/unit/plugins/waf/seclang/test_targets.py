from __future__ import annotations

import pytest
from adc_plugins.waf.seclang.model import Place, SecLangError, Target
from adc_plugins.waf.seclang.names import KEYED, VARIABLES
from adc_plugins.waf.seclang.targets import parse_targets
from hypothesis import given
from hypothesis import strategies as st

PLACE = Place("f.conf", 3)


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("ARGS", [Target("ARGS")]),
        ("args|Request_Uri", [Target("ARGS"), Target("REQUEST_URI")]),
        ("ARGS,REQUEST_URI", [Target("ARGS"), Target("REQUEST_URI")]),
        ("ARGS:Page", [Target("ARGS", "page")]),
        ("!ARGS:page", [Target("ARGS", "page", excluded=True)]),
        ("&REQUEST_HEADERS:Host", [Target("REQUEST_HEADERS", "host", count=True)]),
        ("ARGS:/^id_/", [Target("ARGS", "^id_", pattern=True)]),
        ("ARGS:/a|B,c/|TX", [Target("ARGS", "a|B,c", pattern=True), Target("TX")]),
        ("ARGS:/a/b/|TX", [Target("ARGS", "a/b", pattern=True), Target("TX")]),
        (r"ARGS:/a\/|b/", [Target("ARGS", r"a\/|b", pattern=True)]),
        ("ARGS:'/a b/'|TX", [Target("ARGS", "a b", pattern=True), Target("TX")]),
        ("ARGS:'a|b'", [Target("ARGS", "a|b")]),
        ("XML:/*|XML://@*|ARGS", [Target("XML", "/*"), Target("XML", "//@*"), Target("ARGS")]),
        ("XML:/Soap:Body/X|TX", [Target("XML", "/Soap:Body/X"), Target("TX")]),
        ("TX:a.b", [Target("TX", "a.b")]),
        ("ARGS | TX", [Target("ARGS"), Target("TX")]),
    ],
)
def test_targets_are_read(text: str, targets: list[Target]) -> None:
    assert list(parse_targets(text, PLACE)) == targets


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ARG", 'unknown variable "ARG"; did you mean "ARGS"?'),
        ("REQUEST_URI:a", "has no keys"),
        ("ARGS:", "empty key"),
        ("ARGS:''", "empty key"),
        ("ARGS:/a", "not closed by /"),
        ("ARGS:'a", "not closed by '"),
        ("", "needs a variable"),
        ("|", "needs a variable"),
    ],
)
def test_wrong_target_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(SecLangError) as caught:
        parse_targets(text, PLACE)
    assert str(caught.value).startswith("f.conf:3: ")
    assert problem in str(caught.value)


_KEYS = st.text(st.sampled_from("abcz019_-.$[]"), min_size=1)
_PLAIN = st.builds(Target, st.sampled_from(sorted(VARIABLES)))
_WITH_KEY = st.builds(Target, st.sampled_from(sorted(KEYED - {"XML"})), _KEYS, pattern=st.booleans())
_MARKED = st.tuples(st.one_of(_PLAIN, _WITH_KEY), st.sampled_from("!& "))


def _written(target: Target) -> str:
    mark = "!" if target.excluded else "&" if target.count else ""
    if target.key is None:
        return f"{mark}{target.variable}"
    return (
        f"{mark}{target.variable}:/{target.key}/"
        if target.pattern
        else f"{mark}{target.variable}:{target.key}"
    )


@given(st.lists(_MARKED, min_size=1))
def test_targets_round_trip(items: list[tuple[Target, str]]) -> None:
    targets = [
        Target(item.variable, item.key, item.pattern, count=mark == "&", excluded=mark == "!")
        for item, mark in items
    ]
    assert list(parse_targets("|".join(map(_written, targets)), PLACE)) == targets
