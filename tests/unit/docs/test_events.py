"""Every event in the code is declared with its fields, and every declared event is in the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import adc
from adc.telemetry.events import EVENTS
from adc.telemetry.log_line import LEVELS, RESERVED

ROOMS = [path for path in Path(adc.__file__).parent.rglob("*.py") if path.parent.name != "telemetry"]
DECLARED = {event.name: event for event in EVENTS}
MAY_LOG = re.compile(r"log\s*\.\s*\w+\s*\(|\blog\s*\(|\bself\._report\s*\(")
"""Found in every file that logs; only those are parsed."""

FORWARDING = {"worker.py"}
"""Files that pass on an event whose name another room chose."""


def logged() -> Iterator[tuple[str, str, list[str]]]:
    """Yield place, event and fields of every call that logs."""
    for path in ROOMS:
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if MAY_LOG.search(text) else ():
            if isinstance(node, ast.Call) and _writes(ast.unparse(node.func)):
                place = f"{path.name}:{node.lineno}"
                yield from _of(node, path, place)


def _writes(function: str) -> bool:
    """True if `function` is a method of a log, or stands for one."""
    receiver, _, name = function.rpartition(".")
    return (name in LEVELS and receiver.endswith("log")) or function in ("log", "self._report")


def _of(node: ast.Call, path: Path, place: str) -> Iterator[tuple[str, str, list[str]]]:
    if node.args and isinstance(node.args[0], ast.Constant):
        yield place, node.args[0].value, [each.arg for each in node.keywords if each.arg]
    elif path.name not in FORWARDING and ast.unparse(node.func).rpartition(".")[2] in LEVELS:
        raise AssertionError(f"{place}: the event's name is not written where it is logged")


CALLS = list(logged())


@pytest.mark.parametrize(
    ("place", "event", "fields"), CALLS, ids=[f"{place}-{event}" for place, event, _ in CALLS]
)
def test_logged_event_is_declared_with_its_fields(place, event, fields):
    assert event in DECLARED, f"{place}: declare {event} in adc/telemetry/events.py"
    assert set(fields) <= set(DECLARED[event].fields), place


def test_every_declared_event_is_logged():
    assert set(DECLARED) - {event for _, event, _ in CALLS} == {"library_message"}


def test_declared_events_are_unique_and_use_no_reserved_field():
    assert len(DECLARED) == len(EVENTS)
    assert [event.name for event in EVENTS] == sorted(DECLARED)
    assert not RESERVED & {field for event in EVENTS for field in event.fields}
