"""All regression tests of the OWASP CRS that are at hand, through the whole proxy over sockets."""

import pytest

from tests.kit.crs import crs_case_files, crs_folder
from tests.wire.plugins.waf.crs_run import Judge, cases_of, crs_serving

FOLDER = crs_folder()
GROUPS = sorted({file.parent.name for file in crs_case_files(FOLDER)}) if FOLDER else []
CASES = 2831
pytestmark = pytest.mark.skipif(
    FOLDER is None, reason="the OWASP CRS is not there; ADC_CRS may name its folder"
)


@pytest.mark.parametrize("group", GROUPS)
async def test_every_regression_test_of_the_crs_passes(tmp_path, group):
    failures, count = [], 0
    async with crs_serving(tmp_path) as waf:
        judge = Judge(waf)
        for file in crs_case_files(FOLDER):
            if file.parent.name == group:
                for case in cases_of(file):
                    failures += await judge.failures(case)
                    count += 1
    print(f"{group}: {count} cases, {len(failures)} failures")
    assert count
    assert not failures, "\n".join(failures)


def test_all_regression_tests_are_read():
    assert sum(len(cases_of(file)) for file in crs_case_files(FOLDER)) == CASES
