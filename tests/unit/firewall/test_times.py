"""Windows of the week: past midnight, overlapping, and on the two days a year that have another length."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.firewall.filter import Filter
from adc.firewall.packet import Packet
from adc.firewall.rule import Rule
from adc.firewall.times import DAY_MINUTES, TimeWindow

BERLIN = "Europe/Berlin"
SPRING, AUTUMN = (
    datetime(2026, 3, 28, tzinfo=ZoneInfo(BERLIN)),
    datetime(2026, 10, 24, tzinfo=ZoneInfo(BERLIN)),
)
"""The Saturdays before the clocks go forward at 02:00 and back at 03:00."""


def held(window, start, hours=48):
    """The minutes for which a window holds, as minutes since `start` on a clock that never jumps."""
    begin = int(start.timestamp())
    return [minute for minute in range(hours * 60) if window.holds(begin + minute * 60)]


def window(days, first, end):
    minutes = [int(text[:2]) * 60 + int(text[3:]) for text in (first, end)]
    return TimeWindow(days, *minutes, BERLIN)


@pytest.mark.parametrize(
    ("start", "first", "end", "minutes"),
    [
        (SPRING, "02:00", "03:00", 0),
        (SPRING, "01:30", "03:30", 60),
        (AUTUMN, "02:00", "03:00", 120),
        (AUTUMN, "02:30", "02:45", 30),
        (AUTUMN, "01:30", "03:30", 180),
    ],
)
def test_window_holds_as_long_as_clocks_show_it(start, first, end, minutes):
    assert len(held(window([6], first, end), start)) == minutes


@pytest.mark.parametrize(("start", "hours"), [(SPRING, 7), (AUTUMN, 9)])
def test_night_of_the_change_is_one_window(start, hours):
    minutes = held(window([5], "22:00", "06:00"), start)
    assert minutes == list(range(22 * 60, (22 + hours) * 60))


def test_first_of_overlapping_windows_decides():
    rules = Filter(
        [
            Rule("night", "drop", time=window(range(7), "22:00", "06:00")),
            Rule("late", "reject", time=window(range(7), "20:00", "23:00")),
        ],
        "accept",
        {},
    )
    packet = Packet("tcp", ip_address("192.0.2.1"), 1, ip_address("192.0.2.2"), 2)
    begin = SPRING.timestamp()
    found = [rules.decide(packet, 0.0, begin + minutes * 60).name for minutes in range(0, DAY_MINUTES, 30)]
    assert found == ["night"] * 12 + ["(default)"] * 28 + ["late"] * 4 + ["night"] * 4


clock = st.integers(0, DAY_MINUTES - 1)
zones = st.sampled_from([BERLIN, "UTC", "America/St_Johns", "Asia/Seoul", "Australia/Lord_Howe"])
moments = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


@given(st.frozensets(st.integers(0, 6)), clock, st.integers(1, DAY_MINUTES), zones, moments)
def test_window_agrees_with_a_list_of_its_minutes(days, first, end, zone, moment):
    local = moment.astimezone(ZoneInfo(zone))
    length = end - first if first < end else end - first + DAY_MINUTES
    on_the_clock = local.replace(tzinfo=None)
    starts = [
        datetime(*(on_the_clock.date() - timedelta(days=back)).timetuple()[:3]) + timedelta(minutes=first)
        for back in (0, 1)
    ]
    expected = any(
        start.weekday() in days and start <= on_the_clock < start + timedelta(minutes=length)
        for start in starts
    )
    assert TimeWindow(days, first, end, zone).holds(moment.timestamp()) is expected
