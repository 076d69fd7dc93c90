"""The number of sessions of each source, over a reload that sets the limit."""

import pytest

from adc.l4.udp.sources import SLICE, SessionSources
from adc.sessions.session import Session, Timeouts
from adc.sessions.table import SessionTable

TIMES = Timeouts(10.0, 100.0, 5.0)
ANN, BOB = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def table():
    return SessionTable()


def opened(table, address, listener="game"):
    session = Session("udp", listener, (address, 1000), None, TIMES)
    table.open(session, 0.0)
    return session


def test_sessions_opened_before_the_limit_are_counted_a_slice_at_a_time(table):
    for number in range(SLICE + 1):
        opened(table, ANN if number else BOB)
    opened(table, BOB, "dns")
    sources = SessionSources(SLICE, "game", table)
    assert sources.admit(ANN)
    sources.leave(ANN, 0)
    assert [sources.catch_up() for _ in range(3)] == [True, False, False]
    assert not sources.admit(ANN)
    assert sum(sources.admit(BOB) for _ in range(SLICE)) == SLICE - 1


def test_session_that_ends_before_it_was_counted_is_not_subtracted(table):
    session = opened(table, ANN)
    sources = SessionSources(1, "game", table)
    assert sources.admit(ANN)
    later = opened(table, ANN)
    sources.leave(ANN, session.number)
    assert not sources.admit(ANN)
    table.closed(session, "expired", 0.0)
    sources.catch_up()
    assert not sources.admit(ANN)
    sources.leave(ANN, later.number)
    assert sources.admit(ANN)


def test_session_that_ends_after_it_was_counted_is_subtracted(table):
    session = opened(table, ANN)
    sources = SessionSources(1, "game", table)
    sources.catch_up()
    assert not sources.admit(ANN)
    sources.leave(ANN, session.number)
    assert sources.admit(ANN)


def test_another_limit_keeps_the_counts(table):
    sources = SessionSources(2, "game", table)
    assert [sources.admit(ANN) for _ in range(3)] == [True, True, False]
    sources.limit(3)
    assert [sources.admit(ANN) for _ in range(2)] == [True, False]
