from __future__ import annotations

import pytest

from adc.telemetry.timestamps import clf_time, iso_time


def test_times_are_utc() -> None:
    assert clf_time(784111777) == "06/Nov/1994:08:49:37 +0000"
    assert iso_time(784111777.0) == "1994-11-06T08:49:37.000Z"


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.9996, "00.999Z"), (59.5, "59.500Z"), (1.001953125, "01.001Z")]
)
def test_milliseconds_are_cut_so_that_a_second_never_has_a_thousand(seconds: float, shown: str) -> None:
    assert iso_time(seconds).endswith(shown)
