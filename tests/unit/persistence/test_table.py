from collections.abc import Callable

import pytest

from adc.http.client import Client, Flow
from adc.http.headers import Headers
from adc.http.message import Request
from adc.persistence.decide import Stickiness
from adc.persistence.header import header_key
from adc.persistence.identity import member_id, secret_key, shown_key
from adc.persistence.interface import PENDING
from adc.persistence.learned import LearnedPersistence, learned_key
from adc.persistence.pin import Pin, merge_pins, unpack_pin
from adc.persistence.query import query_key
from adc.persistence.source import source_key
from adc.persistence.table import KeyOf, TablePersistence
from adc.persistence.tls import certificate_key, sni_key
from adc.state.interface import UNKNOWN, Entry, Unknown
from adc.state.memory import MemoryStore, MemoryTable
from tests.unit.persistence.requests import NOW, request

A, B, C = (member_id("app", f"{name}:80") for name in "abc")
STICKY = Stickiness(timeout=600.0, absolute_timeout=3600.0)


@pytest.fixture
def table() -> MemoryTable:
    return MemoryStore().table("persistence.app", 1000, merge_pins)


@pytest.fixture
def mode(table: MemoryTable) -> TablePersistence[Flow]:
    return TablePersistence(table, source_key(), STICKY, "adc-a")


def pinned(mode: TablePersistence[Flow], asked: Request, now: float) -> Pin | None:
    found = mode.pinned(asked, now)
    assert found is not PENDING
    return found if isinstance(found, Pin) else None


def lasting(pin: Pin) -> Pin:
    """`pin` as it was written at `pin.seen`."""
    return pin._replace(expires=STICKY.expiry(pin.created, pin.seen))


def test_assigned_client_is_pinned_until_it_is_idle_too_long(mode: TablePersistence[Flow]) -> None:
    assert pinned(mode, request(), NOW) is None
    assert mode.assigned(request(), A, NOW, None) == A
    assert pinned(mode, request(), NOW + 599) == lasting(Pin(A, NOW, NOW, 1, 0, "adc-a"))
    assert pinned(mode, request(client="192.0.2.8"), NOW) is None
    assert pinned(mode, request(), NOW + 600 + STICKY.slack) is None


def test_use_is_written_down_once_a_tenth_of_the_timeout_has_passed(
    mode: TablePersistence[Flow], table: MemoryTable
) -> None:
    mode.assigned(request(), A, NOW, None)
    writes: list[object] = []
    table.watch(writes.append)
    for second in range(1, 60):
        mode.assigned(request(), A, NOW + second, pinned(mode, request(), NOW + second))
    assert writes == []
    mode.assigned(request(), A, NOW + 61, pinned(mode, request(), NOW + 61))
    assert pinned(mode, request(), NOW + 660) == lasting(Pin(A, NOW, NOW + 61, 61, 0, "adc-a"))


def test_hits_of_a_pin_that_is_gone_count_for_nobody(
    mode: TablePersistence[Flow], table: MemoryTable
) -> None:
    mode.assigned(request(), A, NOW, None)
    for second in range(1, 10):
        mode.assigned(request(), A, NOW + second, pinned(mode, request(), NOW + second))
    table.delete(b"192.0.2.7", NOW + 10)
    mode.assigned(request(), A, NOW + 10, None)
    mode.assigned(request(), A, NOW + 100, pinned(mode, request(), NOW + 100))
    assert pinned(mode, request(), NOW + 100) == lasting(Pin(A, NOW + 10, NOW + 100, 2, 0, "adc-a"))


def test_hits_of_new_clients_are_counted_however_many_old_ones_never_return(
    mode: TablePersistence[Flow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adc.persistence.table._MAX_PENDING_HITS", 10)
    for number in range(30):
        asked = request(client=f"198.51.100.{number}")
        mode.assigned(asked, A, NOW, None)
        mode.assigned(asked, A, NOW + 1, pinned(mode, asked, NOW + 1))
    assert len(mode._hits) == 10
    mode.assigned(asked, A, NOW + 61, pinned(mode, asked, NOW + 61))
    pin = pinned(mode, asked, NOW + 61)
    assert pin is not None
    assert pin.hits == 3


def test_pin_dies_at_its_absolute_timeout_however_busy(mode: TablePersistence[Flow]) -> None:
    mode.assigned(request(), A, NOW, None)
    for age in range(60, 3600, 60):
        pin = pinned(mode, request(), NOW + age)
        assert pin is not None
        mode.assigned(request(), A, NOW + age, pin)
    assert pinned(mode, request(), NOW + 3600) is None


def test_requests_in_the_last_period_before_the_absolute_timeout_are_not_all_written(
    mode: TablePersistence[Flow], table: MemoryTable
) -> None:
    mode.assigned(request(), A, NOW, None)
    for age in (600, 1200, 1800, 2400, 2990):
        mode.assigned(request(), A, NOW + age, pinned(mode, request(), NOW + age))
    writes: list[object] = []
    table.watch(writes.append)
    for age in range(3000, 3600):
        assert mode.assigned(request(), A, NOW + age, pinned(mode, request(), NOW + age)) == A
    assert writes == []
    assert pinned(mode, request(), NOW + 3600) is None


@pytest.mark.parametrize("later", [Stickiness(60.0), Stickiness(6000.0)])
def test_changed_timeout_applies_from_the_next_request_on(table: MemoryTable, later: Stickiness) -> None:
    TablePersistence(table, source_key(), STICKY).assigned(request(), A, NOW, None)
    mode = TablePersistence(table, source_key(), later)
    mode.assigned(request(), A, NOW + 1, pinned(mode, request(), NOW + 1))
    pin = pinned(mode, request(), NOW + 1)
    assert pin is not None
    assert pin.expires == pytest.approx(NOW + 1 + later.lifetime)


def test_clock_that_is_set_back_and_forth_ends_no_pin(mode: TablePersistence[Flow]) -> None:
    mode.assigned(request(), A, NOW, None)
    for now in (NOW - 7200, NOW - 7100, NOW - 7000):
        pin = pinned(mode, request(), now)
        assert pin is not None
        assert mode.assigned(request(), A, now, pin) == A
        later = pinned(mode, request(), now + 599)
        assert later is not None
        assert later.expires <= now + STICKY.lifetime


def test_moved_client_is_pinned_to_its_new_member(mode: TablePersistence[Flow]) -> None:
    mode.assigned(request(), A, NOW, None)
    assert mode.assigned(request(), B, NOW + 5, pinned(mode, request(), NOW + 5)) == B
    assert pinned(mode, request(), NOW + 5) == lasting(Pin(B, NOW + 5, NOW + 5, 1, 1, "adc-a"))


def test_second_of_two_workers_that_pin_a_new_client_is_told_of_the_first(
    mode: TablePersistence[Flow], table: MemoryTable
) -> None:
    other = TablePersistence(table, source_key(), STICKY)
    assert mode.assigned(request(), B, NOW, None) == B
    assert other.assigned(request(), A, NOW + 0.001, None) == B


def test_first_to_write_wins_even_if_the_clock_of_the_second_is_behind(
    mode: TablePersistence[Flow], table: MemoryTable
) -> None:
    other = TablePersistence(table, source_key(), STICKY)
    assert mode.assigned(request(), B, NOW, None) == B
    assert other.assigned(request(), A, NOW - 0.09, None) == B
    before = pinned(mode, request(), NOW + 1)
    assert mode.assigned(request(), A, NOW + 1, before) == A
    assert other.assigned(request(), C, NOW + 0.91, before) == A


def test_claim_tells_the_pin_of_another_machine(mode: TablePersistence[Flow], table: MemoryTable) -> None:
    other = TablePersistence(table, source_key(), STICKY, "adc-b")
    found: list[Pin | None] = []
    mode.claim(request(), A, NOW, found.append)
    other.claim(request(), B, NOW, found.append)
    other.claim(request(client="junk"), B, NOW, found.append)
    assert [pin and (pin.member, pin.node) for pin in found] == [None, (A, "adc-a"), None]
    assert (mode.counts.created, other.counts.created) == (1, 0)


def test_pin_that_a_lowered_absolute_timeout_ends_is_replaced(table: MemoryTable) -> None:
    TablePersistence(table, source_key(), Stickiness(600.0)).assigned(request(), A, NOW, None)
    mode = TablePersistence(table, source_key(), Stickiness(600.0, absolute_timeout=60.0))
    assert pinned(mode, request(), NOW + 60) is None
    assert mode.assigned(request(), B, NOW + 60, None) == B
    pin = pinned(mode, request(), NOW + 61)
    assert pin is not None
    assert (pin.member, pin.created) == (B, NOW + 60)


def test_late_refresh_does_not_undo_a_move(mode: TablePersistence[Flow]) -> None:
    mode.assigned(request(), A, NOW, None)
    before = pinned(mode, request(), NOW + 100)
    mode.assigned(request(), B, NOW + 100, before)
    assert mode.assigned(request(), A, NOW + 101, before) == B


def test_value_that_is_no_pin_is_no_pin(mode: TablePersistence[Flow], table: MemoryTable) -> None:
    table.set(b"192.0.2.7", b"junk", 600.0, NOW)
    assert pinned(mode, request(), NOW) is None
    assert mode.assigned(request(), A, NOW, None) == A
    assert pinned(mode, request(), NOW) is not None


class FarTable(MemoryTable):
    """Knows nothing itself; others do."""

    def lookup(self, key: bytes, now: float) -> Entry | Unknown | None:  # type: ignore[override]
        return UNKNOWN


def test_unknown_to_this_node_is_pending_and_fetched() -> None:
    table = FarTable("t", 10, merge_pins)
    mode = TablePersistence(table, source_key(), STICKY)
    assert mode.pinned(request(), NOW) is PENDING
    table.set(b"192.0.2.7", Pin(A, NOW, NOW).pack(), 600.0, NOW)
    found: list[Pin | None] = []
    mode.fetch(request(), NOW, found.append)
    mode.fetch(request(client="junk"), NOW, found.append)
    assert found == [Pin(A, NOW, NOW, expires=NOW + 600), None]


@pytest.mark.parametrize(
    ("key", "client", "expected"),
    [
        (source_key(), "192.0.2.7", b"192.0.2.7"),
        (source_key(24), "192.0.2.7", b"192.0.2.0/24"),
        (source_key(), "2001:db8:1:2:3::4", b"2001:db8:1:2::/64"),
        (source_key(prefix6=128), "2001:DB8::1", b"2001:db8::1"),
        (source_key(), "::ffff:192.0.2.7", b"192.0.2.7"),
        (source_key(), "fe80::1%eth0", b"fe80::/64"),
        (source_key(), "", None),
        (source_key(), "unix:", None),
        (source_key(), "192.0.2.700", None),
    ],
)
def test_source_key(key: KeyOf[Flow], client: str, expected: bytes | None) -> None:
    assert key(request(client=client)) == expected


def test_a_flow_that_is_no_request_is_pinned_by_its_source(table: MemoryTable) -> None:
    mode: TablePersistence[Flow] = TablePersistence(table, source_key(), STICKY)
    flow = Flow(Client("192.0.2.7"))
    assert mode.pinned(flow, NOW) is None
    assert mode.assigned(flow, A, NOW, None) == A
    found = mode.pinned(flow, NOW + 1)
    assert isinstance(found, Pin)
    assert found.member == A


def test_header_key_is_readable_unless_it_is_long_or_secret() -> None:
    assert header_key("X-User")(request(x_user="ann")) == b"ann"
    assert header_key("X-User")(request()) is None
    long = header_key("X-User")(request(x_user="a" * 5000))
    assert long is not None
    assert len(long) == 17
    secret = header_key("Authorization")(request(authorization="Bearer x"))
    assert secret is not None
    assert b"Bearer" not in secret
    assert header_key("X-User")(request(x_user="#" + "a" * 16)) != b"#" + b"a" * 16


def test_query_key_is_the_decoded_value_of_the_first_such_parameter() -> None:
    key = query_key("s id")
    assert key(request("/?x=1&s%20id=a%20b&s+id=c")) == key(request("/?s+id=a+b"))
    assert key(request("/?s+id=a")) != key(request("/?s+id=b"))
    assert key(request("/?sid=a")) is None
    assert key(request("/")) is None


def test_tls_keys() -> None:
    assert sni_key(request()) == b"www.example.com"
    certificate = certificate_key("X-Client-Cert")
    one, other = request(), request()
    one.client.certificate, other.client.certificate = {"X-Client-Cert": "a"}, {"X-Client-Cert": "b"}
    assert certificate(one) != certificate(other)
    assert certificate(request(x_client_cert="a")) is None


def learned(table: MemoryTable) -> LearnedPersistence:
    return LearnedPersistence(table, "JSESSIONID", STICKY, path_parameter="jsessionid")


def test_session_is_learned_from_the_application_and_found_in_cookie_or_path(table: MemoryTable) -> None:
    mode = learned(table)
    headers = Headers([(b"Set-Cookie", b"JSESSIONID=s1; Path=/; HttpOnly")])
    mode.response(request(), headers, A, NOW, None)
    for asked in (
        request(cookie="JSESSIONID=s1"),
        request("/a;jsessionid=s1?x=1"),
        request("/a;JSESSIONID=s1;v=2/b"),
    ):
        pin = pinned(mode, asked, NOW + 1)
        assert pin is not None
        assert pin.member == A
    assert pinned(mode, request(cookie="JSESSIONID=s2"), NOW + 1) is None
    assert pinned(mode, request("/?a=;jsessionid=s1"), NOW + 1) is None


def test_invented_session_ids_fill_no_table(table: MemoryTable) -> None:
    mode = learned(table)
    for number in range(100):
        asked = request(cookie=f"JSESSIONID=x{number}")
        mode.assigned(asked, A, NOW, pinned(mode, asked, NOW))
        mode.response(asked, Headers(), A, NOW, None)
    assert len(table) == 0


def test_learned_session_is_refreshed_by_requests_and_moved_with_its_client(table: MemoryTable) -> None:
    mode = learned(table)
    mode.response(request(), Headers([(b"Set-Cookie", b"JSESSIONID=s1")]), A, NOW, None)
    asked = request(cookie="JSESSIONID=s1")
    mode.assigned(asked, A, NOW + 500, pinned(mode, asked, NOW + 500))
    pin = pinned(mode, asked, NOW + 1000)
    assert pin is not None
    mode.assigned(asked, B, NOW + 1000, pin)
    moved = pinned(mode, asked, NOW + 1001)
    assert moved is not None
    assert moved.member == B


def test_first_session_id_with_a_pin_counts(table: MemoryTable) -> None:
    mode = learned(table)
    mode.response(request(), Headers([(b"Set-Cookie", b"JSESSIONID=s1")]), A, NOW, None)
    mode.response(request(), Headers([(b"Set-Cookie", b"JSESSIONID=s2")]), B, NOW, None)
    for cookie, target, member in (
        ("JSESSIONID=old; JSESSIONID=s1", "/", A),
        ("JSESSIONID=s2; JSESSIONID=s1", "/", B),
        ("JSESSIONID=old", "/a;jsessionid=s1", A),
    ):
        asked = request(target, cookie=cookie)
        pin = pinned(mode, asked, NOW + 500)
        assert pin is not None
        assert pin.member == member
        assert mode.assigned(asked, member, NOW + 500, pin) == member
        assert pinned(mode, asked, NOW + 1000) is not None


def test_every_session_id_is_asked_for_until_one_has_a_pin() -> None:
    table = FarTable("t", 10, merge_pins)
    mode = learned(table)
    table.set(secret_key("s2"), Pin(A, NOW, NOW).pack(), 600.0, NOW)
    found: list[Pin | None] = []
    mode.fetch(request(cookie="JSESSIONID=s1; JSESSIONID=s2"), NOW, found.append)
    mode.fetch(request(cookie="JSESSIONID=s3"), NOW, found.append)
    assert [pin and pin.member for pin in found] == [A, None]


def test_empty_lines_of_a_field_count_for_nothing() -> None:
    asked = request(x_user="ann")
    asked.headers.pairs.insert(0, (b"X-User", b""))
    assert header_key("X-User")(asked) == b"ann"


def test_session_ids_are_not_readable_in_the_table(table: MemoryTable) -> None:
    learned(table).response(request(), Headers([(b"Set-Cookie", b"JSESSIONID=topsecret")]), A, NOW, None)
    ((key, _),) = table.scan(NOW).entries
    assert b"topsecret" not in key
    assert shown_key(key).startswith("#")


@pytest.mark.parametrize("target", [";jsessionid=", "/a;jsessionid=", "/a;jsessionid=/b", "/a;jsessionid"])
def test_empty_path_parameter_is_no_session(target: str) -> None:
    key: Callable[[Request], bytes | None] = learned_key("JSESSIONID", "jsessionid")
    assert key(request(target)) is None


def test_pin_survives_packing() -> None:
    pin = Pin(A, NOW + 0.25, NOW + 5, 7, 2, "adc-a")
    assert unpack_pin(pin.pack()) == pin
    assert unpack_pin(pin._replace(hits=2**40, moves=2**20).pack()) is not None
