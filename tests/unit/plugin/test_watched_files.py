"""Files that a plugin watches."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from adc.plugin import FilePath, Host, Options, Plugin
from adc.plugin.testkit import Trial


class ReadsOptions(Options):
    files: list[FilePath]
    """The files."""


class Reads(Plugin[ReadsOptions]):
    """Keeps the text of files; `bad` is not accepted, `crash` is a defect."""

    async def start(self, host: Host) -> None:
        self.texts: dict[str, str] = {}
        for path in self.options.files:
            host.watch_file(path, lambda path=path: self.read(path))

    def read(self, path: Path) -> None:
        text = path.read_text()
        if text == "bad":
            raise ValueError("it is bad")
        if text == "crash":
            raise RuntimeError("a defect")
        self.texts[path.name] = text


class ReadsLater(Reads):
    """The same, awaiting something."""

    async def read(self, path: Path) -> None:  # type: ignore[override]
        super().read(path)


@pytest.fixture(params=[Reads, ReadsLater])
def kind(request: Any) -> Any:
    return request.param


def trial(kind: Any, folder: Path, *names: str) -> Trial:
    return Trial(kind, {"files": list(names)}, folder=folder)


async def test_change_calls_the_reader_once(tmp_path: Path, kind: Any) -> None:
    (tmp_path / "a").write_text("one")
    async with trial(kind, tmp_path, "a") as use:
        await use.pass_time(2)
        assert use.plugin.texts == {}
        (tmp_path / "a").write_text("longer")
        await use.pass_time(1)
        assert use.plugin.texts == {"a": "longer"}
        use.plugin.texts.clear()
        await use.pass_time(3)
        assert use.plugin.texts == {}


async def test_replaced_file_of_the_same_size_and_time_is_a_change(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    async with trial(Reads, tmp_path, "a") as use:
        before = (tmp_path / "a").stat()
        (tmp_path / "new").write_text("two")
        os.utime(tmp_path / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
        (tmp_path / "new").rename(tmp_path / "a")
        await use.pass_time(1)
        assert use.plugin.texts == {"a": "two"}


async def test_file_that_disappears_is_read_when_it_is_back(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    async with trial(Reads, tmp_path, "a", "b") as use:
        (tmp_path / "a").unlink()
        await use.pass_time(1)
        assert (use.plugin.texts, use.messages) == ({}, [])
        (tmp_path / "a").write_text("back")
        (tmp_path / "b").write_text("new")
        await use.pass_time(1)
        assert use.plugin.texts == {"a": "back", "b": "new"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bad", "a was not loaded, its previous content stays in use: it is bad"),
        ("crash", "RuntimeError: a defect"),
    ],
)
async def test_reader_that_fails_is_counted_and_called_again(
    tmp_path: Path, kind: Any, text: str, told: str
) -> None:
    async with trial(kind, tmp_path, "a", "b") as use:
        (tmp_path / "a").write_text(text)
        (tmp_path / "b").write_text("good")
        await use.pass_time(1)
        assert use.plugin.texts == {"b": "good"}
        assert use.errors == {("background", "error"): 1}
        assert told in str(use.messages[0]["detail"])
        (tmp_path / "a").write_text("good again")
        await use.pass_time(1)
        assert use.plugin.texts == {"a": "good again", "b": "good"}


async def test_overrun_of_one_reader_ends_no_other(tmp_path: Path) -> None:
    class Loops(Reads):
        def read(self, path: Path) -> None:
            text = path.read_text()
            while text == "loop":  # nothing is open when it is interrupted
                pass
            super().read(path)

    async with Trial(Loops, {"files": ["a"], "budget": "50ms"}, folder=tmp_path) as use:
        (tmp_path / "a").write_text("loop")
        await use.pass_time(1)
        assert use.errors == {("background", "overrun"): 1}
        (tmp_path / "a").write_text("good")
        await use.pass_time(1)
        assert use.plugin.texts == {"a": "good"}
