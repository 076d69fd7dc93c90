from __future__ import annotations

from pathlib import Path

import pytest
from adc_plugins.waf.code.examples import parse_request
from adc_plugins.waf.engine import Ruleset
from adc_plugins.waf.tools.checks import check_tests
from adc_plugins.waf.tools.rule_tests import BadTest, as_yaml, file_beside, read_tests

from tests.kit.crs import crs_folder

RULES = Ruleset.load([("rules.conf", 'SecRule ARGS "@contains evil" "id:7,phase:2,pass,log"')])
FOLDER = crs_folder()


def written(folder: Path, text: str) -> Path:
    path = folder / "rules.tests.yaml"
    path.write_text(text)
    return path


def test_results_name_rules_that_must_and_must_not_match(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
tests:
  - desc: evil matches
    stages:
      - input: {uri: "/?q=evil"}
        output: {log: {expect_ids: [7], no_expect_ids: [8]}}
  - test_id: 2
    stages:
      - input: {uri: "/?q=evil"}
        output: {log: {no_expect_ids: [7]}}
      - input: {method: POST, uri: /, data: "q=good"}
        output: {log: {expect_ids: [7]}}
""",
    )
    results = list(check_tests(read_tests(path), RULES))
    assert [(result.name, result.failures) for result in results] == [
        ("evil matches", ()),
        ("2", ("rule 7 must not match, and matches",)),
        ("2", ("rule 7 must match, and does not",)),
    ]
    assert results[1].place == f"{path}: test 2"


def test_written_test_is_read_again(tmp_path: Path) -> None:
    request = parse_request("POST /a?b=\"c\"\nX-A: 'd': {e}\n\nf=é")
    path = written(tmp_path, "tests:\n" + as_yaml('a "name": #1', request, unexpected=7) * 2)
    first, second = read_tests(path)
    assert first.request == second.request == request
    assert (first.name, first.expected, first.unexpected) == ('a "name": #1', frozenset(), frozenset({7}))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "while parsing"),
        ("tests: 5", "needs a list `tests`"),
        ("tests: [5]", "test 1: "),
        ("tests: [{stages: [{input: {}}]}]", "needs expect_ids or no_expect_ids"),
        ("tests: [{stages: [{input: {headers: 5}, output: {log: {expect_ids: [1]}}}]}]", "test 1: "),
    ],
)
def test_file_that_cannot_be_read_is_an_error_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(BadTest) as caught:
        read_tests(written(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path))
    assert problem in str(caught.value)


def test_tests_stand_beside_the_rules(tmp_path: Path) -> None:
    assert file_beside(tmp_path / "rules.conf") is None
    path = written(tmp_path, "tests: []")
    assert file_beside(tmp_path / "rules.conf") == path


@pytest.mark.skipif(FOLDER is None, reason="the folder of the OWASP CRS is absent; name it in ADC_CRS")
def test_tests_of_the_crs_are_read() -> None:
    assert FOLDER is not None
    files = sorted((FOLDER / "tests" / "REQUEST-911-METHOD-ENFORCEMENT").glob("*.yaml")) or sorted(
        (FOLDER / "tests").glob("*/*.yaml")
    )
    assert sum(len(read_tests(file)) for file in files[:5]) > 5
