"""Checks of state tables: while they are installed, every transition that no table has is an error."""

from functools import cache

from adc.codecs.http1 import states
from adc.codecs.http1.content_reader import ContentReader
from adc.codecs.http1.response_parser import ResponseParser
from adc.compilation import compiled


class CheckedState:
    """Takes the place of a class's `_state`."""

    def __init__(self, slot, transitions, names):
        self._slot = slot
        self._transitions = transitions
        self._names = names

    def __get__(self, connection, owner=None):
        return self if connection is None else self._slot.__get__(connection, owner)

    def __set__(self, connection, state):
        try:
            before = self._slot.__get__(connection)
        except AttributeError:  # a new connection
            before = state
        if state != before and state not in self._transitions[before]:
            raise AssertionError(f"{self._names[before]} -> {self._names[state]} is in no table")
        self._slot.__set__(connection, state)


@cache
def check_transitions():
    """Check all connections of this process from now on. Compiled ones cannot be checked."""
    if not compiled():
        for owner, transitions, names in (
            (ContentReader, states.CLIENT_TRANSITIONS, states.CLIENT_STATES),
            (ResponseParser, states.MEMBER_TRANSITIONS, states.MEMBER_STATES),
        ):
            owner._state = CheckedState(owner._state, transitions, names)
