"""The host as a plugin under test sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from adc.plugin import (
    Context,
    EntryTooLargeError,
    Host,
    NoOptions,
    Plugin,
    Response,
    StateUnavailable,
    Table,
)
from adc.plugin.testkit import PluginStartFailed, Trial

Start = Callable[[Host], Any]


def plugin(begin: Start) -> type[Plugin[Any]]:
    """A plugin whose start calls `begin`."""

    class Given(Plugin[NoOptions]):
        async def start(self, host: Host) -> None:
            self.host = host
            begin(host)

    return Given


class Opens(Plugin[NoOptions]):
    async def start(self, host: Host) -> None:
        self.host = host
        self.table = host.table("t", 3)
        self.shared = host.table("shared", 3, "cluster")


async def test_entries_expire_as_time_passes() -> None:
    async with Trial(Opens) as trial:
        table = trial.tables["t"]
        table.set(b"k", b"v", 10.0)
        await trial.pass_time(6)
        assert table.touch(b"k", 10.0)
        await trial.pass_time(6)
        entry = table.get(b"k")
        assert entry is not None
        assert (entry.value, entry.expires - trial.plugin.host.wall()) == (b"v", 4.0)
        await trial.pass_time(4)
        assert table.get(b"k") is None
        assert not table.touch(b"k", 10.0)


async def test_counter_keeps_its_window() -> None:
    async with Trial(Opens) as trial:
        table, end = trial.tables["t"], trial.plugin.host.wall() + 10
        assert table.add(b"n", 1, 10.0) == (1, end)
        await trial.pass_time(9)
        assert table.add(b"n", 2, 10.0) == (3, end)
        assert await table.add_exactly(b"n", 2, 10.0) == (5, end)
        await trial.pass_time(1)
        assert table.add(b"n", 1, 10.0).total == 1


async def test_table_has_a_size_and_can_be_scanned_by_prefix() -> None:
    async with Trial(Opens) as trial:
        table = trial.tables["t"]
        for number in range(5):
            table.set(b"a%d" % number, b"v", 10.0)
        assert (len(table), table.evicted) == (3, 2)
        assert [key for key, _ in table.scan(prefix=b"a").entries] == [b"a2", b"a3", b"a4"]
        page = table.scan(limit=1)
        assert [key for key, _ in table.scan(limit=1, cursor=page.cursor).entries] == [b"a3"]
        assert table.delete(b"a3")
        assert not table.delete(b"a3")


async def test_tables_and_counters_outlive_a_reload() -> None:
    trial = Trial(Opens)
    async with trial:
        trial.tables["t"].set(b"k", b"v", 10.0)
    async with trial:
        assert trial.tables["t"].get(b"k") is not None


async def test_exact_addition_raises_while_the_store_is_down_and_all_else_goes_on() -> None:
    async with Trial(Opens) as trial:
        table = trial.tables["shared"]
        table.set(b"k", b"v", 10.0)
        trial.take_store_down()
        assert table.degraded
        with pytest.raises(StateUnavailable):
            await table.add_exactly(b"n", 1, 10.0)
        found = await table.fetch(b"k")
        assert found is not None
        assert table.add(b"n", 1, 10.0).total == 1
        trial.take_store_down(False)
        assert (await table.add_exactly(b"n", 1, 10.0)).total == 2


@pytest.mark.parametrize("ttl", [0.0, -1.0, 1e12, float("nan"), float("inf")])
async def test_time_to_live_that_is_none_is_rejected(ttl: float) -> None:
    async with Trial(Opens) as trial:
        table = trial.tables["t"]
        for write in (lambda: table.set(b"k", b"v", ttl), lambda: table.add(b"k", 1, ttl)):
            with pytest.raises(ValueError, match="allowed: more than 0"):
                write()


async def test_oversized_entries_and_amounts_are_rejected() -> None:
    async with Trial(Opens) as trial:
        table: Table = trial.tables["t"]
        with pytest.raises(EntryTooLargeError):
            table.set(b"k" * 256, b"", 1.0)
        with pytest.raises(EntryTooLargeError):
            table.set(b"k", b"v" * 1025, 1.0)
        with pytest.raises(ValueError, match="an amount of"):
            table.add(b"k", 1 << 40, 1.0)


@pytest.mark.parametrize(
    ("begin", "message"),
    [
        (lambda host: host.table("T", 1), "table 'T' has no valid name"),
        (lambda host: host.table("a/b", 1), "table 'a/b' has no valid name"),
        (lambda host: host.table("t", 0), "table t has a size of 0; allowed: 1 to"),
        (lambda host: host.table("t", 1, "world"), "unknown scope 'world'; use node or cluster"),
        (lambda host: [host.table("t", 1) for _ in range(2)], "table t is declared twice"),
        (lambda host: [host.table(f"t{n}", 1) for n in range(17)], "at most 16"),
        (lambda host: host.counter("n", ""), "counter n has a help of 0 characters"),
        (lambda host: host.gauge("n", "a\nb"), "gauge n has a help of 3 characters"),
        (lambda host: (host.gauge("n", "a"), host.counter("n", "a")), "counter n is declared twice"),
        (lambda host: [host.counter(f"n{n}", "a") for n in range(101)], "at most 100"),
    ],
)
async def test_wrong_declaration_refuses_the_configuration(begin: Start, message: str) -> None:
    with pytest.raises(PluginStartFailed, match=f"plugin Given does not start: .*{message}"):
        async with Trial(plugin(begin)):
            pass


async def test_declaration_after_start_is_rejected() -> None:
    async with Trial(plugin(lambda host: None)) as trial:
        host: Host = trial.plugin.host
        for declare in (
            lambda: host.table("t", 1),
            lambda: host.counter("n", "a"),
            lambda: host.gauge("n", "a"),
        ):
            with pytest.raises(RuntimeError, match="declare it in start"):
                declare()


async def test_counters_only_grow_and_gauges_do_both() -> None:
    def begin(host: Host) -> None:
        host.counter("n", "A number.").add(3)
        with pytest.raises(ValueError, match="cannot count -1"):
            host.counter("m", "A number.").add(-1)
        gauge = host.gauge("g", "A number.")
        gauge.set(5)
        gauge.add(-2)

    async with Trial(plugin(begin)) as trial:
        assert (trial.counters, trial.gauges) == ({"n": 3, "m": 0}, {"g": 3.0})


@pytest.mark.parametrize("value", [float("nan"), 1.5, "1", None, 1 << 54], ids=str)
async def test_counter_rejects_what_is_no_small_integer(value: Any) -> None:
    """One sample that is no number would fail all metrics of the node."""

    def begin(host: Host) -> None:
        with pytest.raises(ValueError, match="counter n cannot count"):
            host.counter("n", "A number.").add(value)

    async with Trial(plugin(begin)) as trial:
        assert trial.counters == {"n": 0}


@pytest.mark.parametrize("value", ["many", None, 10**400], ids=["text", "none", "endless"])
async def test_gauge_rejects_what_is_no_number(value: Any) -> None:
    def begin(host: Host) -> None:
        gauge = host.gauge("g", "A number.")
        for change in (gauge.set, gauge.add):
            with pytest.raises(ValueError, match="gauge g takes numbers"):
                change(value)

    async with Trial(plugin(begin)) as trial:
        assert trial.gauges == {"g": 0.0}


class Refreshes(Plugin[NoOptions]):
    """Reads something again each minute."""

    async def start(self, host: Host) -> None:
        self.host = host
        self.reads: list[float] = []
        host.spawn(self._refresh())

    async def _refresh(self) -> None:
        while True:
            self.reads.append(self.host.now())
            await self.host.sleep(60)


async def test_time_wakes_background_work_at_its_own_moments() -> None:
    async with Trial(Refreshes) as trial:
        await trial.pass_time(150)
        assert trial.plugin.reads == [0.0, 60.0, 120.0]
        assert trial.plugin.host.now() == 150.0


async def test_background_work_ends_with_the_plugin() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("work")

    class Waits(Plugin[NoOptions]):
        async def start(self, host: Host) -> None:
            self.host = host
            host.spawn(work())
            await asyncio.sleep(0)

        async def close(self) -> None:
            ended.append("close")

    async with Trial(Waits) as trial:
        host: Host = trial.plugin.host
    assert ended == ["work", "close"]
    with pytest.raises(RuntimeError, match="closed"):
        host.spawn(work())


async def test_background_work_of_a_plugin_that_does_not_start_is_cancelled() -> None:
    ended = []

    class Fails(Plugin[NoOptions]):
        async def start(self, host: Host) -> None:
            host.spawn(self._work())
            await asyncio.sleep(0)
            raise OSError("no door")

        async def _work(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("work")

    with pytest.raises(PluginStartFailed, match="OSError: no door"):
        async with Trial(Fails):
            pass
    assert ended == ["work"]


async def test_tasks_of_a_plugin_are_bounded() -> None:
    async with Trial(plugin(lambda host: None)) as trial:
        host: Host = trial.plugin.host
        tasks = [host.spawn(asyncio.Event().wait()) for _ in range(100)]
        with pytest.raises(RuntimeError, match="100 tasks"):
            host.spawn(asyncio.Event().wait())
        tasks[0].cancel()
        await asyncio.wait(tasks[:1])
        host.spawn(asyncio.Event().wait())
        assert trial.errors == {}


async def raises() -> None:
    raise RuntimeError("it broke")


async def exits() -> None:
    raise SystemExit(3)


async def loops() -> None:
    while True:
        pass


async def waits_for_what_is_cancelled() -> None:
    waiting = asyncio.get_running_loop().create_future()
    waiting.cancel()
    await waiting


@pytest.mark.parametrize(
    ("work", "reason", "detail"),
    [
        (raises, "error", "RuntimeError: it broke"),
        (exits, "error", "SystemExit: 3"),
        (loops, "overrun", "held the worker for more than its budget of 0.05 s"),
        (waits_for_what_is_cancelled, "error", "CancelledError"),
    ],
)
async def test_failure_of_background_work_is_logged_and_counted(work: Any, reason: str, detail: str) -> None:
    async with Trial(plugin(lambda host: host.spawn(work())), {"budget": "50ms"}) as trial:
        await trial.settle()
        assert trial.errors == {("background", reason): 1}
        (line,) = trial.messages
        assert detail in str(line["detail"])
        assert (line["plugin"], line["route"], line["phase"]) == ("Given", "test", "background")


async def test_warning_names_the_plugin_and_its_route() -> None:
    async with Trial(plugin(lambda host: host.warn("list is old", age=5))) as trial:
        assert trial.messages == [{"age": 5, "plugin": "Given", "route": "test", "detail": "list is old"}]


class Exits(Plugin[NoOptions]):
    def request_head(self, context: Context) -> Response | None:
        raise SystemExit(3)

    async def response_head(self, context: Context) -> None:
        raise SystemExit(3)


async def test_phase_that_exits_fails_like_one_that_raises() -> None:
    async with Trial(Exits, {"on_error": "fail_open"}) as trial:
        assert (await trial.exchange()).response.status == 200
        assert trial.errors == {("request_head", "error"): 1, ("response_head", "error"): 1}
