from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from adc_plugins.waf.code.loading import load_code, load_rules
from adc_plugins.waf.seclang.model import CodeRule, Marker, Program, Rule, SecLangError, Target
from adc_plugins.waf.seclang.parse import parse

HEAD = "from adc_plugins.waf import Example, Exchange, Item, rule\n"
EVALUATION = (
    "SecAction \"id:1,phase:1,setvar:'tx.inbound_anomaly_score_pl1=0'\"\n"
    "SecAction \"id:2,phase:2,setvar:'tx.blocking_inbound_anomaly_score=+%{TX.inbound_anomaly_score_pl1}'\"\n"
)


class FakeValues:
    def __init__(self, **values: list[tuple[bytes, bytes]]) -> None:
        self.values = values

    def get(self, name: str) -> Sequence[tuple[bytes, bytes]]:
        return self.values.get(name, ())


def written(folder: Path, text: str) -> Path:
    path = folder / "local.py"
    path.write_text(HEAD + text)
    return path


def code(folder: Path, text: str, reports: list[str] | None = None) -> CodeRule:
    def report(what: str, error: Exception) -> None:
        if reports is not None:
            reports.append(f"{what}: {error!r}")

    (found,) = load_code(written(folder, text), report)
    return found


def function(body: str, options: str = "") -> str:
    return f'@rule(id=7, message="m"{options})\ndef check(exchange):\n    {body}\n'


def test_rules_are_returned_in_the_order_written(tmp_path: Path) -> None:
    text = function("return None").replace("check", "b") + function("return None").replace("id=7", "id=8")
    assert [rule.id for rule in load_rules(written(tmp_path, text))] == [7, 8]


def test_rule_has_the_place_of_its_function(tmp_path: Path) -> None:
    (rule,) = load_rules(written(tmp_path, "\n" + function("return None")))
    assert (rule.place.file, rule.place.line) == (str(tmp_path / "local.py"), 3)


def test_rule_can_use_dataclasses_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "local.py"
    path.write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        + HEAD
        + "@dataclass\nclass A:\n    b: int = 1\n"
        + function("return None")
    )
    assert len(load_rules(path)) == 1


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a b", 2, "invalid Python"),
        ("\n1/0", 3, "ZeroDivisionError"),
        ("a = 1", 1, "no rule is defined"),
        (function("return None", ", phase='body'"), 2, 'unknown phase "body"'),
        (function("return None", ", severity='fatal'"), 2, "unknown severity 'fatal'"),
        (function("return None", ", level=5"), 2, "paranoia level from 1 to 4"),
        (function("return None", ", score=-1"), 2, "score is a number"),
        (function("return None", ", matches=['GET']"), 2, 'not "METHOD TARGET"'),
        (function("return None").replace("id=7", "id=0"), 2, "id is a positive number"),
        (function("return None").replace('"m"', "''"), 2, "message is one line of text"),
    ],
)
def test_file_that_cannot_be_used_is_an_error_with_its_line(
    tmp_path: Path, text: str, line: int, problem: str
) -> None:
    with pytest.raises(SecLangError) as caught:
        load_rules(written(tmp_path, text))
    assert str(caught.value).startswith(f"{tmp_path / 'local.py'}:{line}: ")
    assert problem in str(caught.value)


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SecLangError, match="No such file"):
        load_rules(tmp_path / "absent.py")


@pytest.mark.parametrize(
    ("body", "item"),
    [
        ("return None", None),
        ("return False", None),
        ("return True", ("", b"", b"")),
        ("return exchange.argument('Q')", ("", b"", b"a\xff")),
        ("return exchange.argument('absent')", None),
        ("return exchange.arguments[0]", ("ARGS", b"q", b"a\xff")),
        ("return b'x'", ("", b"", b"x")),
        ("return exchange.method + exchange.path", ("", b"", b"GET/")),
    ],
)
def test_value_returned_by_a_rule_is_the_matched_item(
    tmp_path: Path, body: str, item: tuple[str, bytes, bytes] | None
) -> None:
    values = FakeValues(
        ARGS=[(b"q", b"a\xff")], REQUEST_METHOD=[(b"", b"GET")], REQUEST_FILENAME=[(b"", b"/")]
    )
    assert code(tmp_path, function(body)).inspect(values) == item


@pytest.mark.parametrize(
    ("body", "reported"),
    [("return 1 / 0", "ZeroDivisionError"), ("return 5", "not int"), ("return []", "not list")],
)
def test_rule_that_fails_is_reported_and_does_not_match(tmp_path: Path, body: str, reported: str) -> None:
    reports: list[str] = []
    assert code(tmp_path, function(body), reports).inspect(FakeValues()) is None
    assert len(reports) == 1
    assert reports[0].startswith(f"{tmp_path / 'local.py'}:2: rule 7: ")
    assert reported in reports[0]


class TestProgram:
    def program(self, folder: Path, options: str = "", more: str = "") -> Program:
        found = code(folder, function("return True", options))
        return parse([("f.conf", EVALUATION + more)], code=[found])

    def test_rule_runs_before_scores_are_evaluated(self, tmp_path: Path) -> None:
        items = self.program(tmp_path).items
        assert [item.id for item in items if isinstance(item, Rule)] == [1, 7, 2]

    def test_match_scores_for_its_level_and_severity(self, tmp_path: Path) -> None:
        rule = self.program(tmp_path).items[1]
        assert isinstance(rule, Rule)
        assert rule.inspect is not None
        assert (rule.phase, rule.operator, rule.targets) == (2, None, ())
        assert rule.last("setvar") == "tx.inbound_anomaly_score_pl1=+%{tx.critical_anomaly_score}"
        assert (rule.last("severity"), rule.last("msg")) == ("CRITICAL", "m")

    def test_score_of_the_rule_replaces_that_of_the_severity(self, tmp_path: Path) -> None:
        rule = self.program(tmp_path, ", score=3, phase='response_head', level=1").items[-1]
        assert isinstance(rule, Rule)
        assert (rule.phase, rule.last("setvar")) == (3, "tx.outbound_anomaly_score_pl1=+3")

    def test_rule_above_level_1_is_skipped_below_its_level(self, tmp_path: Path) -> None:
        _, guard, rule, marker, _ = self.program(tmp_path, ", level=3").items
        assert isinstance(guard, Rule)
        assert isinstance(rule, Rule)
        assert isinstance(marker, Marker)
        assert guard.targets == (Target("TX", "detection_paranoia_level"),)
        assert (guard.operator.argument if guard.operator else "", guard.last("skipafter")) == (
            "3",
            marker.name,
        )
        assert rule.tags[:2] == ("python", "paranoia-level/3")

    def test_removals_and_updates_apply(self, tmp_path: Path) -> None:
        removed = self.program(tmp_path, more="SecRuleRemoveById 7").items
        assert [item.id for item in removed if isinstance(item, Rule)] == [1, 2]
        rule = self.program(tmp_path, more='SecRuleUpdateTargetById 7 "!ARGS:a"').items[1]
        assert isinstance(rule, Rule)
        assert rule.targets == (Target("ARGS", "a", excluded=True),)

    def test_id_of_another_rule_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(SecLangError, match=r"the id 7 is already used at f.conf:3"):
            self.program(tmp_path, more='SecAction "id:7"')
