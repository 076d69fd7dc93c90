"""Changes of a session table become notes."""

from adc.cli.lab.entries import Entry, _note_changes
from adc.cli.lab.timeline import CLOSED, NOTE, OPENED, Journal

OPEN = Entry("established", "m1", since=5.0)


def changes(before, now):
    journal = Journal()
    _note_changes("adc", before, now, journal)
    return [(event.kind, event.text) for event in journal.events]


def test_new_entry_has_state_member_and_its_own_time():
    journal = Journal()
    _note_changes("adc", {}, {"1": OPEN}, journal)
    (event,) = journal.events
    assert (event.kind, event.text, event.time) == (OPENED, "new entry: established, member m1", 5.0)


def test_entry_that_stays_is_not_told_again():
    assert changes({"1": OPEN}, {"1": OPEN}) == []


def test_change_of_state_is_told():
    assert changes({"1": OPEN}, {"1": Entry("closing", "m1", 5.0)}) == [(NOTE, "entry: closing")]


def test_end_is_told_once_with_its_reason():
    ended = Entry("established", "m1", 5.0, "expired")
    assert changes({"1": OPEN}, {"1": ended}) == [(CLOSED, "entry ends: expired")]
    assert changes({"1": ended}, {"1": ended}) == []
    assert changes({"1": ended}, {}) == []


def test_entry_that_came_and_ended_between_two_looks_is_told_whole():
    assert [kind for kind, _ in changes({}, {"1": Entry("closing", "m1", 5.0, "closed")})] == [OPENED, CLOSED]


def test_entry_that_vanishes_is_told():
    assert changes({"1": OPEN}, {}) == [(CLOSED, "entry is gone")]
