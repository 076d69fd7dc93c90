"""Mismatches of time limits are named with the value to change; what agrees is not."""

import pytest

from adc.config import load
from adc.config.timeouts import Seen

BASE = """
listeners: [{bind: 127.0.0.1:8080, timeouts: {keep_alive: 20s}}]
routes:
  - pool: app
    timeouts: {response_head: 20s, idle: 20s}
pools:
  app:
    members: [127.0.0.1:9001]
    keep_alive: {idle: 20s}
    persistence: {learned: {cookie: SID, timeout: 30m}}
"""


def told(tmp_path, text, seen=None):
    file = tmp_path / "adc.yaml"
    file.write_text(text)
    return [
        (problem.mark.line, ".".join(map(str, problem.path)), problem.message)
        for problem in load(file, {}).timeouts(seen or {})
    ]


def test_limits_that_agree_are_not_mentioned(tmp_path):
    seen = {("app", "127.0.0.1:9001"): Seen(announced=60.0, closed=60.0, cookie=1800.0)}
    assert told(tmp_path, BASE, seen) == []


@pytest.mark.parametrize(
    ("interval", "expected"), [("5s", 2.0), ("1500ms", 1.5), ("1s", 1.0), ("100ms", 1.0)]
)
def test_check_takes_no_longer_than_its_interval_by_default(tmp_path, interval, expected):
    health = f"    health: {{active: {{tcp: true, interval: {interval}}}}}\n    keep_alive"
    (file := tmp_path / "adc.yaml").write_text(BASE.replace("    keep_alive", health))
    loaded = load(file, {})
    assert loaded.config.pools["app"].health.active.time_limit == expected
    assert len(loaded.timeouts({})) == (interval == "100ms")


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        ("idle: 20s}\npools", "idle: 20s, total: 6s}\npools", "routes.0.timeouts.total"),
        ("timeout: 30m", "timeout: 19s", "pools.app.persistence.learned.timeout"),
        (
            "persistence: {",
            "persistence: {absolute_timeout: 1m, ",
            "pools.app.persistence.absolute_timeout",
        ),
        (
            "    keep_alive",
            "    health: {active: {path: /, interval: 1s, timeout: 5s}}\n    keep_alive",
            "pools.app.health.active.timeout",
        ),
        ("\npools", "\n    retries: {hedge: {after: 20s}}\npools", "routes.0.retries.hedge.after"),
    ],
)
def test_a_mismatch_is_told_at_the_value_to_change(tmp_path, before, after, path):
    assert before in BASE
    text = BASE.replace(before, after)
    found = told(tmp_path, text)
    assert path in {place for _, place, _ in found}
    line = next(line for line, place, _ in found if place == path)
    key = path.rpartition(".")[2]
    assert f"{key}:" in text.splitlines()[line - 1]


def test_a_queue_longer_than_the_whole_exchange(tmp_path):
    text = BASE.replace("response_head: 20s, idle: 20s", "response_head: 3s, idle: 20s, total: 4s")
    assert [place for _, place, _ in told(tmp_path, text)] == ["pools.app.limits.queue_timeout"]


@pytest.mark.parametrize(
    "seen",
    [
        Seen(announced=15.0),
        Seen(announced=15.0, closed=15.1),
        Seen(announced=15.0, closed=14.5),
        Seen(announced=0.0),
        Seen(announced=0.0, closed=0.01),
    ],
)
def test_a_member_that_says_when_it_hangs_up_is_no_problem(tmp_path, seen):
    assert told(tmp_path, BASE, {("app", "127.0.0.1:9001"): seen}) == []


@pytest.mark.parametrize("seen", [Seen(closed=5.0), Seen(announced=60.0, closed=20.0)])
def test_a_member_that_hangs_up_before_we_let_go(tmp_path, seen):
    ((line, place, message),) = told(tmp_path, BASE, {("app", "127.0.0.1:9001"): seen})
    assert (line, place) == (9, "pools.app.keep_alive.idle")
    assert "127.0.0.1:9001" in message


def test_a_session_cookie_that_outlives_its_pin(tmp_path):
    ((line, place, _),) = told(tmp_path, BASE, {("app", "127.0.0.1:9001"): Seen(cookie=7200.0)})
    assert (line, place) == (10, "pools.app.persistence.learned.timeout")
