"""The plugins on the page for plugin authors work, and so do their tests."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from adc.plugin.testkit import Trial, answer, request

PAGE = Path(__file__).parents[3] / "docs" / "howto" / "write-a-plugin.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
NAMES: dict[str, Any] = {}
for block in BLOCKS:
    exec(compile(block, str(PAGE), "exec", dont_inherit=True), NAMES)  # the page is ours
TESTS = [test for name, test in NAMES.items() if name.startswith("test_")]
PLAIN = [test for test in TESTS if not inspect.iscoroutinefunction(test)]
WAITING = [test for test in TESTS if inspect.iscoroutinefunction(test)]


@pytest.mark.parametrize("test", PLAIN)
def test_plain_test_on_the_page_passes(test: Any) -> None:
    test()


@pytest.mark.parametrize("test", WAITING)
async def test_async_test_on_the_page_passes(test: Any) -> None:
    await test()


async def test_list_on_the_page_is_read_again(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked.txt"
    blocked.write_text("192.0.2.7 192.0.2.8")
    async with Trial(NAMES["BlockList"], {"file": "blocked.txt"}, folder=tmp_path) as trial:
        assert (await trial.exchange()).response.status == 200
        blocked.write_text("192.0.2.1")
        await trial.pass_time(1)
        assert (await trial.exchange()).response.status == 403
        blocked.write_bytes(b"\xff")
        await trial.pass_time(1)
        assert "was not loaded" in str(trial.messages[0]["detail"])
        assert (await trial.exchange()).response.status == 403


async def test_background_work_on_the_page_sets_its_gauge() -> None:
    async with Trial(NAMES["Uptime"]) as trial:
        await trial.settle()
        assert trial.gauges["uptime"] > 0


def test_plugin_on_the_page_transforms_plain_text_only() -> None:
    plain = answer(headers={"Content-Type": "text/plain", "ETag": '"1"'}, body=b"ab")
    outcome = Trial(NAMES["Shout"]).run(request(), plain)
    assert (outcome.body, outcome.response.headers.get(b"etag")) == (b"AB", b'W/"1"')
    other = answer(headers={"Content-Type": "text/html", "ETag": '"1"'}, body=b"ab")
    outcome = Trial(NAMES["Shout"]).run(request(), other)
    assert (outcome.body, outcome.response.headers.get(b"etag")) == (b"ab", b'"1"')


def test_plugin_on_the_page_keeps_languages_apart() -> None:
    german = Trial(NAMES["Greet"]).run(request(headers={"Accept-Language": "de"}), answer(body=b"x"))
    assert (german.body, german.cache_mark) == (b"Hallo! x", b"Hallo")
