"""The firewall's decisions: order, conditions, rates, sets."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from adc.firewall.buckets import WAYS, Buckets
from adc.firewall.filter import DEFAULT, ESTABLISHED, MOST_SELECTIONS, Filter
from adc.firewall.packet import Packet, packet_of
from adc.firewall.prefixes import ANY, Prefixes
from adc.firewall.rule import Over, Rule
from adc.firewall.set_text import BadSet, parse_set
from adc.firewall.times import TimeWindow


def packet(source: str = "192.0.2.5", port: int = 80, **facts: Any) -> Packet:
    return Packet("tcp", ip_address(source), 4000, ip_address("127.0.0.1"), port, **facts)


def nets(*written: str) -> Prefixes:
    return Prefixes(map(ip_network, written))


BAD = {"bad": nets("192.0.2.0/24")}


def decide(rules: list[Rule], asked: Packet, default: str = "accept") -> str:
    return Filter(rules, default, BAD).decide(asked, 0.0, 0.0).name


def test_first_match_decides() -> None:
    rules = [Rule("one", "accept", source=("bad",)), Rule("two", "drop")]
    assert decide(rules, packet()) == "one"
    assert decide(rules, packet("198.51.100.1")) == "two"


def test_default_decides_without_a_match() -> None:
    decision = Filter([Rule("one", "drop", source=("bad",))], "reject", BAD).decide(packet("10.0.0.1"), 0, 0)
    assert (decision.action, decision.rule, decision.name) == ("reject", None, DEFAULT)


def test_rules_are_selected_for_each_listener_and_kept_in_bounded_memory() -> None:
    rules = Filter([Rule("web", "drop", listener=frozenset({"web"})), Rule("all", "reject")], "accept", {})
    for name, expected in (("web", "web"), ("db", "all"), ("web", "web")):
        assert rules.decide(packet(listener=name), 0, 0).name == expected
    for number in range(3000):
        rules.decide(packet(listener=f"x{number}"), 0, 0)
    assert len(rules._selected) <= MOST_SELECTIONS


def test_count_goes_on_and_is_counted() -> None:
    rules = Filter([Rule("seen", "count"), Rule("no", "drop")], "accept", {})
    decision = rules.decide(packet(), 0, 0)
    assert (decision.name, decision.counted) == ("no", rules.rules[:1])
    assert rules.counters == {"seen": 1, "no": 1, DEFAULT: 0}


def test_established_packets_pass_unless_a_rule_names_the_state() -> None:
    plain, named = Rule("new", "drop"), Rule("all", "drop", state=frozenset({"new", "established"}))
    assert decide([plain], packet(state="established"), "drop") == ESTABLISHED
    assert decide([named], packet(state="established")) == "all"
    assert decide([plain], packet(state="invalid"), "drop") == DEFAULT


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (Rule("r", "drop", port=((80, 80),)), True),
        (Rule("r", "drop", port=((81, 90), (1, 79))), False),
        (Rule("r", "drop", source_port=((3000, 4000),)), True),
        (Rule("r", "drop", protocol=frozenset({"udp"})), False),
        (Rule("r", "drop", listener=frozenset({"web"})), True),
        (Rule("r", "drop", listener=frozenset({"other"})), False),
        (Rule("r", "drop", interface=frozenset({"eth0"})), False),
        (Rule("r", "drop", destination=("bad",)), False),
        (Rule("r", "drop", source=("bad",)), True),
    ],
)
def test_each_condition(rule: Rule, matches: bool) -> None:
    assert (decide([rule], packet(listener="web")) == "r") is matches


def test_over_matches_above_the_rate_only_and_for_each_source() -> None:
    rules = Filter([Rule("fast", "reject", over=Over(0.1, 3))], "accept", {})
    names = [rules.decide(packet(), 5.0, 0).name for _ in range(5)]
    assert names == [DEFAULT] * 3 + ["fast"] * 2
    assert rules.decide(packet("192.0.2.6"), 5.0, 0).name == DEFAULT
    assert rules.decide(packet(), 5.11, 0).name == DEFAULT
    assert rules.decide(packet(), 5.11, 0).name == "fast"


def test_over_is_skipped_without_rates() -> None:
    rules = Filter([Rule("fast", "reject", over=Over(1.0, 1))], "accept", {})
    assert [rules.decide(packet(), 0, 0, rates=False).name for _ in range(3)] == [DEFAULT] * 3


def test_packets_that_fail_other_conditions_use_up_no_rate() -> None:
    rules = Filter([Rule("fast", "drop", port=((25, 25),), over=Over(1.0, 1))], "accept", {})
    assert [rules.decide(packet(port=each), 0, 0).name for each in (80, 80, 25, 25)] == [DEFAULT] * 3 + [
        "fast"
    ]


@pytest.mark.parametrize(
    ("per", "one", "other", "same"),
    [
        ("source", "192.0.2.1", "192.0.2.2", False),
        ("source", "2001:db8::1", "2001:db8::2", True),
        ("source", "2001:db8::1", "2001:db8:0:1::1", False),
        ("prefix", "192.0.2.1", "192.0.2.2", True),
        ("prefix", "2001:db8::1", "2001:db8:0:1::1", True),
        ("prefix", "192.0.2.1", "192.0.3.1", False),
        ("rule", "192.0.2.1", "2001:db8::1", True),
    ],
)
def test_sources_prefixes_and_rules_have_their_own_rates(per: str, one: str, other: str, same: bool) -> None:
    over = Over(1.0, 1, per)
    assert (over.key("r", ip_address(one)) == over.key("r", ip_address(other))) is same


def test_counters_carry_over_by_name() -> None:
    before = Filter([Rule("a", "drop"), Rule("b", "drop")], "accept", {})
    before.decide(packet(), 0, 0)
    after = Filter([Rule("c", "drop"), Rule("a", "drop")], "accept", {})
    after.adopt(before)
    assert after.counters == {"c": 0, "a": 1, DEFAULT: 0}


def test_two_workers_share_buckets() -> None:
    memory = memoryview(bytearray(16 * WAYS * 4 + 16)).cast("Q")
    one, other = Buckets(memory), Buckets(memory)
    assert [each.over(b"k", 1.0, 2, 7.0) for each in (one, other, one, other)] == [False, False, True, True]


def test_a_higher_rate_holds_at_once_for_sources_that_were_above_the_lower_one() -> None:
    buckets = Buckets()
    assert [buckets.over(b"k", 3600.0, 2, 7.0) for _ in range(3)] == [False, False, True]
    assert buckets.over(b"k", 0.1, 2, 7.0)
    assert not buckets.over(b"k", 0.1, 2, 7.11)


def test_bucket_table_is_bounded_and_forgets_the_idle_first() -> None:
    buckets = Buckets(memoryview(bytearray(16 * WAYS + 16)).cast("Q"))  # one set
    assert not buckets.over(b"busy", 1.0, 1, 0.0)
    for number in range(WAYS * 3):
        assert not buckets.over(b"idle%d" % number, 0.001, 1, 0.01 * number)
    assert buckets.over(b"busy", 1.0, 1, 0.5)


def test_a_bucket_is_empty_after_its_rate_whatever_the_uptime() -> None:
    buckets = Buckets()
    year = 86400.0 * 365
    assert [buckets.over(b"k", 3600.0, 1, year + step) for step in (0.0, 3599.0, 3600.1)] == [
        False,
        True,
        False,
    ]


def test_prefixes_merge_and_answer_at_their_edges() -> None:
    found = nets("10.0.0.0/8", "10.1.0.0/16", "11.0.0.0/8", "::ffff:192.0.2.0/120", "2001:db8::/32")
    inside = ("10.0.0.0", "11.255.255.255", "192.0.2.255", "2001:db8:ffff::1")
    outside = ("9.255.255.255", "12.0.0.0", "192.0.3.0", "2001:db9::", "::a00:1")
    assert [ip_address(each) in found for each in inside] == [True] * 4
    assert [ip_address(each) in found for each in outside] == [False] * 5


def test_prefixes_cover() -> None:
    assert nets("10.0.0.0/8").covers(nets("10.2.0.0/16", "10.3.0.0/16"))
    assert not nets("10.2.0.0/16").covers(nets("10.0.0.0/8"))
    assert not nets("10.0.0.0/8").covers(nets("10.0.0.0/8", "::1/128"))
    assert ANY.covers(nets("0.0.0.0/0", "::/0"))
    assert ip_address("255.255.255.255") in ANY


def test_addresses_of_sockets() -> None:
    asked = packet_of("tcp", ("::ffff:192.0.2.1", 5, 0, 0), ("::ffff:127.0.0.1", 80, 0, 0), "web")
    assert asked is not None
    assert (str(asked.source), str(asked.destination)) == ("192.0.2.1", "127.0.0.1")
    scoped = packet_of("udp", ("fe80::1%eth0", 5, 0, 3), ("fe80::2%eth0", 80, 0, 3), "")
    assert scoped is not None
    assert str(scoped.source) == "fe80::1"
    assert packet_of("tcp", "", "/run/adc.sock", "web") is None


def test_set_files() -> None:
    text = b"# list\n10.0.0.0/8  # inner\n\n192.0.2.1 ; one\n2001:db8::/32\r\n"
    expected = nets("10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32")
    found = parse_set(text, "f")
    assert [found.ranges(version) for version in (4, 6)] == [expected.ranges(version) for version in (4, 6)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"10.0.0.0/8\n10.0.0.1/8\n", "f:2: 10.0.0.1/8 has host bits set"),
        (b"x" * 500, "f:1: not a network"),
        (b"\xff\n", "f:1: "),
    ],
)
def test_bad_set_files_say_the_line(text: bytes, message: str) -> None:
    with pytest.raises(BadSet, match=message):
        parse_set(text, "f")


@pytest.mark.parametrize(
    ("wall", "holds"),
    [
        (datetime(2026, 11, 30, 22, 0, tzinfo=UTC), True),  # Monday
        (datetime(2026, 12, 1, 5, 59, tzinfo=UTC), True),  # Tuesday, in Monday's window
        (datetime(2026, 12, 1, 6, 0, tzinfo=UTC), False),
        (datetime(2026, 12, 1, 22, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 30, 5, 0, tzinfo=UTC), False),
    ],
)
def test_windows_past_midnight_belong_to_their_first_day(wall: datetime, holds: bool) -> None:
    assert TimeWindow([0], 22 * 60, 6 * 60, "UTC").holds(wall.timestamp()) is holds


def test_windows_follow_their_time_zone() -> None:
    window = TimeWindow(range(7), 8 * 60, 9 * 60, "Asia/Seoul")
    assert window.holds(datetime(2026, 11, 29, 23, 30, tzinfo=UTC).timestamp())
    assert not window.holds(datetime(2026, 11, 29, 8, 30, tzinfo=UTC).timestamp())
