"""Events and messages of libraries that reach the error log through `logging`."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from adc.telemetry.error_log import ErrorLog
from adc.telemetry.event_log import EventHandler, EventLog, trace_of
from adc.telemetry.log_line import Style


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "error.log"


@pytest.fixture(params=["text", "json"])
def style(request: pytest.FixtureRequest) -> Style:
    chosen: Style = request.param
    return chosen


@pytest.fixture
def logger(path: Path, style: Style) -> Iterator[logging.Logger]:
    logger = logging.getLogger("test.room")
    handler = EventHandler(ErrorLog(str(path), style, "debug", clock=lambda: 1790000000.25))
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    yield logger
    logger.removeHandler(handler)


def test_event_keeps_its_name_level_and_fields(logger: logging.Logger, path: Path, style: Style) -> None:
    EventLog("test.room").warn("worker_died", worker=2, detail="signal 9")
    written = path.read_text()
    if style == "json":
        assert json.loads(written) == {
            "ts": "2026-09-21T14:13:20.250Z",
            "level": "warn",
            "event": "worker_died",
            "worker": 2,
            "detail": "signal 9",
        }
    else:
        assert written == '2026-09-21T14:13:20.250Z warn worker_died worker=2 detail="signal 9"\n'


@pytest.mark.parametrize("level", ["debug", "info", "warn", "error"])
def test_each_level_passes_through(logger: logging.Logger, path: Path, style: Style, level: str) -> None:
    getattr(EventLog("test.room"), level)("reloaded")
    assert level in path.read_text()


@pytest.mark.parametrize("style", ["text"], indirect=True)
def test_message_of_a_library_becomes_an_event(logger: logging.Logger, path: Path, style: Style) -> None:
    logger.warning("cannot do %s", "this\nor that")
    assert path.read_text().endswith(
        ' warn library_message logger=test.room detail="cannot do this\\x0Aor that"\n'
    )


def test_exception_is_one_line_with_its_trace(logger: logging.Logger, path: Path, style: Style) -> None:
    try:
        json.loads("{")
    except ValueError:
        logger.exception("no object")
    written = path.read_text()
    assert written.count("\n") == 1
    assert "JSONDecodeError" in written
    assert "raw_decode < " in written


def test_message_that_cannot_be_formatted_is_logged_without_its_arguments(
    logger: logging.Logger, path: Path, style: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)  # pytest's own handler
    logger.warning("%d", "no number")
    (line,) = path.read_text().splitlines()
    assert (json.loads(line)["detail"] == "%d") if style == "json" else line.endswith(" detail=%d")


def test_trace_names_the_innermost_frame_first() -> None:
    with pytest.raises(ValueError, match="property name") as caught:
        json.loads("{")
    assert trace_of(caught.value).split(" < ")[0].endswith("raw_decode")


def test_caught_log_shows_event_and_fields(caplog: pytest.LogCaptureFixture) -> None:
    EventLog("test.other").error("redis_lost", detail="connection refused")
    assert caplog.messages == ['redis_lost detail="connection refused"']
