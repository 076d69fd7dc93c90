from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from adc.telemetry.error_log import BURST, ErrorLog
from adc.telemetry.escape import CUT
from adc.telemetry.log_line import VALUE_LENGTH, Level, Style


class Clock:
    now = 1790000000.25

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "error.log"


def test_a_text_line_has_time_level_message_and_fields(path: Path) -> None:
    log = ErrorLog(str(path), clock=Clock())
    log.warn("request_refused", reason="bad_host", client="192.0.2.7", status=400)
    assert path.read_text() == (
        "2026-09-21T14:13:20.250Z warn request_refused reason=bad_host client=192.0.2.7 status=400\n"
    )


def test_a_json_line_keeps_numbers_as_numbers(path: Path) -> None:
    log = ErrorLog(str(path), "json", clock=Clock())
    log.error("plugin_failed", plugin="waf", took=1.5, fatal=False, limit=None, ratio=float("nan"))
    assert json.loads(path.read_text()) == {
        "ts": "2026-09-21T14:13:20.250Z",
        "level": "error",
        "event": "plugin_failed",
        "plugin": "waf",
        "took": 1.5,
        "fatal": False,
        "limit": None,
        "ratio": "nan",
    }


@pytest.mark.parametrize(("style", "name"), [("text", "event=up"), ("json", '"event_":"up"')])
def test_a_field_named_like_a_fixed_key_does_not_replace_it(path: Path, style: Style, name: str) -> None:
    ErrorLog(str(path), style, clock=Clock()).log("info", "x", {"event": "up"})
    assert name in path.read_text()


@pytest.mark.parametrize("style", ["text", "json"])
def test_hostile_field_names_stay_in_one_printable_line(path: Path, style: Style) -> None:
    ErrorLog(str(path), style, clock=Clock()).log("info", "x", {'a b\n="' + "n" * 5000: 1})
    written = path.read_bytes().decode("ascii")
    assert written[:-1].isprintable()
    assert len(written) < 200


@pytest.mark.parametrize("value", ["a b", "", 'say "x"', "a=b", "line\nbreak", "\x1b[2J", b"\xff\n", "é"])
@pytest.mark.parametrize("style", ["text", "json"])
def test_hostile_values_stay_in_one_printable_line(path: Path, value: object, style: Style) -> None:
    ErrorLog(str(path), style, clock=Clock()).info("x", value=value)
    written = path.read_bytes().decode("ascii")
    assert written.count("\n") == 1
    assert written[:-1].isprintable()


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (10**5000, "<int without text: ValueError>"),
        (1 << 63, "9223372036854775808"),
        (Unprintable(), "<Unprintable without text: RuntimeError>"),
    ],
    ids=["endless", "large", "failing"],
)
def test_values_without_a_short_text_cost_no_line(path: Path, value: object, text: str, style: Style) -> None:
    ErrorLog(str(path), style).warn("event", value=value)
    (line,) = path.read_text().splitlines()
    assert (json.loads(line)["value"] == text) if style == "json" else (text in line)


def test_text_values_with_spaces_or_quotes_are_quoted(path: Path) -> None:
    ErrorLog(str(path), clock=Clock()).info("x", a='b" c=d', e="")
    assert path.read_text().endswith(' x a="b\\x22 c=d" e=""\n')


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize(
    "value", ["v" * 100_000, '"' * 100_000, "\u00e9" * 5000, b"\xff" * 5000, b'"' * 5000]
)
def test_long_values_are_cut_and_marked(path: Path, style: Style, value: object) -> None:
    ErrorLog(str(path), style, clock=Clock()).info("x", value=value)
    written = path.read_text()
    assert VALUE_LENGTH - 20 < len(written) < VALUE_LENGTH + 150
    assert CUT in written


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("debug", ["debug", "info", "warn", "error"]),
        ("info", ["info", "warn", "error"]),
        ("warn", ["warn", "error"]),
        ("error", ["error"]),
    ],
)
def test_messages_below_the_level_are_ignored(path: Path, level: Level, written: list[str]) -> None:
    log = ErrorLog(str(path), level=level, clock=Clock())
    log.debug("x")
    log.info("x")
    log.warn("x")
    log.error("x")
    assert [line.split()[1] for line in path.read_text().splitlines()] == written


def test_a_flood_of_one_message_is_cut_and_the_next_line_says_by_how_much(path: Path) -> None:
    clock = Clock()
    log = ErrorLog(str(path), clock=clock)
    for _ in range(1000):
        log.warn("request_refused")
    assert len(path.read_text().splitlines()) == BURST
    assert log.suppressed == 1000 - BURST
    clock.now += 1.0
    log.warn("request_refused", reason="bad_host")
    assert path.read_text().endswith(f" request_refused reason=bad_host suppressed={1000 - BURST}\n")


def test_a_flood_of_one_message_leaves_room_for_another(path: Path) -> None:
    log = ErrorLog(str(path), clock=Clock())
    for _ in range(1000):
        log.warn("request_refused")
    log.error("member_down")
    assert path.read_text().splitlines()[-1].endswith("error member_down")


def test_the_end_of_a_flood_is_told_by_the_tick(path: Path) -> None:
    clock = Clock()
    log = ErrorLog(str(path), clock=clock)
    for _ in range(BURST + 7):
        log.warn("request_refused")
    log.flush()
    assert len(path.read_text().splitlines()) == BURST
    clock.now += 1.0
    log.flush()
    log.flush()
    assert path.read_text().splitlines()[BURST:] == [
        "2026-09-21T14:13:21.250Z warn request_refused suppressed=7"
    ]


def test_a_stalled_reader_costs_lines_not_time_or_memory(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    log = ErrorLog(str(tmp_path / "pipe"), clock=Clock())
    for kind in range(200):
        log.warn(f"kind_{kind}", value="v" * VALUE_LENGTH)
    assert log.dropped > 0
    received = b""
    for _ in range(3):
        received += os.read(reader, 1 << 20)
        log.flush()
    assert received.count(b"\n") == 200 - log.dropped
    log.close()
    os.close(reader)


def test_rotation(path: Path, tmp_path: Path) -> None:
    log = ErrorLog(str(path), clock=Clock())
    log.info("before")
    path.rename(tmp_path / "error.log.1")
    log.reopen()
    log.info("after")
    assert "before" in (tmp_path / "error.log.1").read_text()
    assert "before" not in path.read_text()
