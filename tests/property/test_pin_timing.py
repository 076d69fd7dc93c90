"""No pin ends before its time, and none lives much longer, whatever the sequence of requests."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adc.http.headers import Headers
from adc.http.message import Request
from adc.persistence.app_cookie import PrefixedCookie, RewrittenCookie
from adc.persistence.cookie import CookieOptions, CookiePersistence
from adc.persistence.decide import Stickiness
from adc.persistence.identity import member_id
from adc.persistence.interface import Persistence
from adc.persistence.learned import LearnedPersistence
from adc.persistence.pin import Pin, merge_pins
from adc.persistence.signing import Signer
from adc.persistence.source import source_key
from adc.persistence.table import TablePersistence
from adc.state.changes import decode_writes, encode_writes
from adc.state.interface import Table
from adc.state.local import LocalStore
from adc.state.memory import MemoryStore
from adc.state.redis import RedisStore
from adc.state.redis_client import RedisAddress

START = 1_700_000_000.0
TICK = 0.1
A, B = member_id("app", "a:80"), member_id("app", "b:80")
SKEW = 40.0
"""Seconds that the clock of the second node is ahead."""


class Site(Protocol):
    """Two workers, or two nodes, that serve one client."""

    workers: list[Persistence]
    clocks: list[float]

    def passed(self, now: float) -> None:
        """A tenth of a second has passed: nodes have heard of each other."""


class Workers:
    """Workers on one machine, whose ticks are not at the same moment."""

    def __init__(self, workers: list[Persistence]) -> None:
        self.workers = workers
        self.clocks = [0.03, 0.0]

    def passed(self, now: float) -> None:
        """They share the table itself."""


class Nodes:
    """Nodes that hear of each other's writes, with clocks that differ."""

    def __init__(self, stickiness: Stickiness) -> None:
        address = RedisAddress(("redis://127.0.0.1:1",))
        self.clocks = [0.0, SKEW]
        self.stores = [RedisStore(address, clock=lambda: START) for _ in self.clocks]
        self.tables = [store.table("t", 1000, merge_pins) for store in self.stores]
        self.workers: list[Persistence] = [
            TablePersistence(table, source_key(), stickiness, "n") for table in self.tables
        ]

    def passed(self, now: float) -> None:
        for place, store in enumerate(self.stores):
            message = encode_writes(store.writes.take(100), now + self.clocks[place])
            theirs = now + self.clocks[1 - place]
            for write in decode_writes(message, theirs):
                self.tables[1 - place].apply(write, theirs)


def over(table: Table, stickiness: Stickiness, *, learned: bool = False) -> list[Persistence]:
    if learned:
        return [LearnedPersistence(table, "sid", stickiness) for _ in range(2)]
    return [TablePersistence(table, source_key(), stickiness) for _ in range(2)]


@contextmanager
def site(mode: str, stickiness: Stickiness) -> Iterator[Site]:
    signer = Signer("app", [b"k" * 16], [A, B])
    if mode == "nodes":
        yield Nodes(stickiness)
    elif mode == "cookie":
        yield Workers([CookiePersistence(CookieOptions("c"), signer, stickiness) for _ in range(2)])
    elif mode == "local":
        folder = Path(tempfile.mkdtemp(prefix="adc-pins-"))
        store = LocalStore(folder, map_size=16 << 20)
        try:
            yield Workers(over(store.table("t", 1000, merge_pins), stickiness))
        finally:
            store._close()
            shutil.rmtree(folder)
    else:
        table = MemoryStore().table("t", 1000, merge_pins)
        yield Workers(over(table, stickiness, learned=mode == "learned"))


class Client:
    """Asks by turns of the workers, keeps cookies, and says to whom it was pinned."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cookie = b"sid=s1"
        self.at = START

    def ask(self, worker: int, gap: float) -> Pin | None:
        self._wait(gap)
        mode = self.site.workers[worker]
        now = self._coarse(worker)
        asked = Request(
            "GET", "/", "/", "", "h", "h", Headers([(b"Cookie", self.cookie)]), source="192.0.2.1"
        )
        pin = mode.pinned(asked, now)
        assert pin is None or isinstance(pin, Pin)
        member = mode.assigned(asked, B if pin is None else pin.member, now, pin)
        headers = Headers()
        if mode.learns and pin is None:
            headers.add(b"Set-Cookie", b"sid=s1")
        mode.response(asked, headers, member, now, pin)
        if not mode.learns and b"set-cookie" in headers:
            self.cookie = (headers.get(b"set-cookie") or b"").partition(b";")[0]
        return pin

    def _wait(self, gap: float) -> None:
        step = min(gap, TICK)
        self.at += step
        self.site.passed(self.at)
        self.at += gap - step

    def _coarse(self, worker: int) -> float:
        """What the worker's clock showed at its last tick."""
        now = self.at + self.site.clocks[worker]
        return now - now % TICK


MODES = ["memory", "local", "cookie", "learned", "nodes"]
VISITS = st.lists(
    st.tuples(
        st.integers(0, 1), st.one_of(st.floats(0.15, 13.0), st.floats(0.15, 1.2), st.floats(9.0, 10.0))
    ),
    min_size=1,
    max_size=12,
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("timeout", [1.0, 10.0])
def test_pin_lives_for_its_timeout_after_each_request_and_hardly_longer(mode: str, timeout: float) -> None:
    stickiness = Stickiness(timeout)

    @QUICK
    @given(VISITS)
    @example([(0, 0.7), (0, 9.2)])
    @example([(0, 1.05), (1, 9.99)])
    def check(visits: list[tuple[int, float]]) -> None:
        with site(mode, stickiness) as place:
            client = Client(place)
            client.ask(0, 0.2)
            for worker, tenths in visits:
                gap = max(0.15, tenths * timeout / 10)
                pin = client.ask(worker, gap)
                if gap < timeout:
                    assert pin is not None
                elif gap > timeout + stickiness.slack + 2 * TICK:
                    assert pin is None

    check()


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "nodes"])
def test_absolute_timeout_is_exact_to_the_tick(mode: str) -> None:
    stickiness = Stickiness(10.0, absolute_timeout=30.0)

    @QUICK
    @given(st.lists(st.tuples(st.integers(0, 1), st.floats(0.15, 9.99)), min_size=8, max_size=40))
    def check(visits: list[tuple[int, float]]) -> None:
        with site(mode, stickiness) as place:
            client = Client(place)
            client.ask(0, 0.2)
            made = client.at
            for worker, gap in visits:
                pin = client.ask(worker, gap)
                age = client.at - made
                if pin is None:
                    assert age > 30.0 - 2 * TICK
                    return
                assert age < 30.0 + 2 * TICK

    check()


@pytest.mark.parametrize("make", [RewrittenCookie, PrefixedCookie])
@QUICK
@given(gaps=st.lists(st.floats(0.15, 13.0), min_size=1, max_size=12))
def test_cookie_of_the_application_that_is_set_once_pins_as_long_as_requests_come(
    make: Callable[..., RewrittenCookie], gaps: list[float]
) -> None:
    stickiness = Stickiness(10.0)
    table = MemoryStore().table("t", 1000, merge_pins)
    mode = make("sid", Signer("app", [b"k" * 16], [A, B]), stickiness, table=table)
    headers = Headers([(b"Set-Cookie", b"sid=x")])
    mode.response(Request("GET", "/", "/", "", "h", "h", Headers([])), headers, A, START, None)
    cookie = (headers.get(b"set-cookie") or b"").partition(b";")[0]
    now = START
    for gap in gaps:
        now += gap
        asked = Request("GET", "/", "/", "", "h", "h", Headers([(b"Cookie", cookie)]))
        pin = mode.pinned(asked, now)
        if gap < 10.0:
            assert isinstance(pin, Pin)
        elif gap > 10.0 + stickiness.slack + TICK:
            assert pin is None
        member = pin.member if isinstance(pin, Pin) else B
        assert mode.assigned(asked, member, now, pin if isinstance(pin, Pin) else None) == member


@pytest.mark.parametrize("make", [RewrittenCookie, PrefixedCookie])
@QUICK
@given(gap=st.floats(0.0, 12.0))
def test_mark_in_the_application_s_cookie_lives_for_the_timeout(
    make: Callable[[str, Signer, Stickiness], RewrittenCookie], gap: float
) -> None:
    stickiness = Stickiness(10.0)
    mode = make("sid", Signer("app", [b"k" * 16], [A]), stickiness)
    headers = Headers([(b"Set-Cookie", b"sid=x")])
    mode.response(Request("GET", "/", "/", "", "h", "h", Headers([])), headers, A, START + 0.77, None)
    cookie = (headers.get(b"set-cookie") or b"").partition(b";")[0]
    asked = Request("GET", "/", "/", "", "h", "h", Headers([(b"Cookie", cookie)]))
    pin = mode.pinned(asked, START + 0.77 + gap)
    if gap < 10.0:
        assert pin is not None
    elif gap > 10.0 + stickiness.slack + TICK:
        assert pin is None
