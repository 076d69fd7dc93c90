import pytest

from adc.persistence.identity import member_id, plain_key, secret_key
from adc.persistence.listing import SessionFilter, SessionRow, candidate_keys, session_rows
from adc.persistence.ownership import Way, home, route
from adc.persistence.pin import Pin
from adc.state.interface import Entry
from tests.unit.persistence.requests import NOW

A = member_id("app", "a:80")
PIN = Pin(A, NOW, NOW, node="n2")
NODES = ["n1", "n2", "n3"]


def client_of(node: str) -> bytes:
    return next(key for key in (b"c%d" % number for number in range(1000)) if home(key, NODES) == node)


def test_known_client_is_served_where_it_lands() -> None:
    assert route(client_of("n2"), PIN, "n1", NODES, "redirect", None) == (Way.SERVE, "n1", "known")


def test_unknown_client_is_passed_to_its_home_when_redirecting() -> None:
    assert route(client_of("n2"), None, "n1", NODES, "redirect", None) == (Way.PASS, "n2", "unknown")
    assert route(client_of("n1"), None, "n1", NODES, "redirect", None) == (Way.SERVE, "n1", "home")


@pytest.mark.parametrize("mode", ["accept", "synchronise"])
def test_unknown_client_is_served_otherwise(mode: str) -> None:
    assert route(client_of("n2"), None, "n1", NODES, mode, None).way is Way.SERVE  # type: ignore[arg-type]


def test_request_that_was_passed_on_is_never_passed_on_again() -> None:
    assert route(client_of("n3"), None, "n2", NODES, "redirect", "n1") == (Way.SERVE, "n2", "passed")


def test_node_that_is_gone_is_passed_nothing() -> None:
    for number in range(200):
        assert route(b"%d" % number, None, "n1", ["n3"], "redirect", None).node in ("n1", "n3")


def test_all_nodes_agree_on_a_home_and_homes_are_spread() -> None:
    homes = [home(b"%d" % number, NODES) for number in range(600)]
    assert homes == [home(b"%d" % number, NODES[::-1]) for number in range(600)]
    assert all(150 < homes.count(node) < 250 for node in NODES)


def test_lost_node_moves_only_its_own_clients() -> None:
    for number in range(300):
        before = home(b"%d" % number, NODES)
        if before != "n3":
            assert home(b"%d" % number, NODES[:2]) == before


ENTRIES = [
    (plain_key("ann"), Entry(Pin(A, NOW - 100, NOW - 10, 5, 1, "n1").pack(), NOW + 50)),
    (secret_key("s3cret"), Entry(Pin(b"gone-gon", NOW - 5, NOW - 5).pack(), NOW + 60)),
    (b"junk", Entry(b"junk", NOW + 60)),
]


def rows(**wanted: object) -> list[str]:
    found = session_rows("app", {A: "a:80"}, ENTRIES, NOW, SessionFilter(**wanted))  # type: ignore[arg-type]
    return [row.client for row in found]


def test_row_says_all_there_is_to_know() -> None:
    row = next(session_rows("app", {A: "a:80"}, ENTRIES, NOW, SessionFilter()))
    assert row == SessionRow("app", "ann", "a:80", NOW - 100, NOW - 10, 50.0, "n1", 5, 1)


@pytest.mark.parametrize(("now", "left"), [(NOW - 0.1, 50.0), (NOW, 50.0), (NOW + 10, 40.0), (NOW + 60, 0.0)])
def test_row_by_a_clock_that_is_behind_the_writer_has_its_timeout_left(now: float, left: float) -> None:
    row = next(session_rows("app", {}, ENTRIES, now, SessionFilter(), 0.0, 50.0))
    assert row.left == left


def test_filters() -> None:
    secret = "#" + secret_key("s3cret")[1:].hex()
    assert rows() == ["ann", secret]
    assert rows(pool="other") == []
    assert rows(client="ann") == ["ann"]
    assert rows(client="s3cret") == rows(client=secret) == [secret]
    assert rows(member="a:80") == ["ann"]
    assert rows(member=b"gone-gon".hex()) == [secret]
    assert rows(min_age=50.0) == ["ann"]
    assert rows(max_age=50.0) == [secret]


def test_shown_key_leads_back_to_its_entry() -> None:
    secret = secret_key("s3cret")
    assert secret in candidate_keys("#" + secret[1:].hex())
    assert secret in candidate_keys("s3cret")
    assert plain_key("ann") in candidate_keys("ann")
    assert candidate_keys("#nonsense")
