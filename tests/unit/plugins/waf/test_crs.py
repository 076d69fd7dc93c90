"""The regression tests of the OWASP CRS, in process: paranoia level 4, detection only."""

import re
from functools import cache

import pytest

from tests.kit import compiled_rules
from tests.kit.crs import (
    RUN_LIMITS,
    crs_case_files,
    crs_folder,
    crs_sources,
    read_cases,
    read_request,
    reflected,
)
from tests.kit.waf import Ruleset, run_wire

FOLDER = crs_folder()
FILES = crs_case_files(FOLDER) if FOLDER else []
REFUSED_BY_THE_CODEC = 400

pytestmark = pytest.mark.skipif(not FOLDER, reason="the OWASP CRS is absent; name its folder in ADC_CRS")


@cache
def ruleset():
    return Ruleset.load(crs_sources(FOLDER, 4, RUN_LIMITS), cache=compiled_rules.FOLDER)


def log_of(transaction):
    return "\n".join(
        f'[id "{match.rule_id}"] [msg "{match.message.decode("utf-8", "replace")}"]'
        f' [data "{match.data.decode("utf-8", "replace")}"]'
        for match in transaction.matches
    )


def faults(stage):
    """Return what is wrong with the log of a stage, nothing for a request that no codec accepts."""
    if stage.status == REFUSED_BY_THE_CODEC:
        return []
    request = read_request(stage.request)
    transaction = run_wire(ruleset(), request, reflected(request))
    ids = {match.rule_id for match in transaction.matches}
    log = log_of(transaction)
    return [
        *(f"{number} is missing" for number in stage.expected - ids),
        *(f"{number} is unexpected" for number in stage.unexpected & ids),
        *([f"no line matches {stage.log_matches}"] if not re.search(stage.log_matches, log) else []),
        *(["a line should not match"] if stage.log_lacks and re.search(stage.log_lacks, log) else []),
    ]


def test_all_cases_are_found():
    assert len(FILES) > 100
    assert sum(1 for file in FILES for _ in read_cases(file)) >= 2831


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_rules_match_as_the_regression_tests_say(file):
    failed = {
        case.name: found for case in read_cases(file) for stage in case.stages if (found := faults(stage))
    }
    assert not failed
