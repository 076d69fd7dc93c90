"""What the host gives to plugins, in a worker that serves: tables, background work, counters and gauges."""

import asyncio

import pytest

from adc.runtime.errors import BuildError
from adc.runtime.operations.logs import REOPEN
from adc.runtime.operations.operation import NOTHING
from tests.kit.client import get
from tests.kit.member import Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually

PLUGINS = '''
import asyncio
from adc.plugin import Host, NoOptions, Plugin, Response

class Keeps(Plugin[NoOptions]):
    """Counts the requests of a client in a table."""
    name = "keeps"
    SIZE = 100
    async def start(self, host):
        self.table = host.table("seen", self.SIZE)
        self.entries = host.gauge("known_clients", "Clients in the table.")
    def request_head(self, context):
        count = self.table.add(context.client.encode(), 1, 3600.0)
        self.entries.set(len(self.table))
        context.request.headers.set(b"X-Count", b"%d" % count.total)
    def response_head(self, context):
        self.table.add(b"responses", 1, 3600.0)
        context.response.headers.set(b"X-Degraded", b"%d" % self.table.degraded)

class Works(Plugin[NoOptions]):
    """Does something in the background."""
    name = "works"
    life = []
    async def start(self, host):
        self.host = host
        host.spawn(self.work())
        host.spawn(self.fail())
    async def work(self):
        try:
            await self.host.sleep(3600)
        finally:
            self.life.append("cancelled")
    async def fail(self):
        raise RuntimeError("very private")
    async def close(self):
        self.life.append("closed")

class Writes(Plugin[NoOptions]):
    """Writes a line for each request, counts it by target, and notes what was received."""
    name = "writes"
    async def start(self, host):
        self.lines = host.log_file("lines.log")
        self.targets = host.keyed_counter("targets", "Requests by target.", 2)
        self.folder = host.cache_folder()
    def request_head(self, context):
        self.request = context.request
        self.lines.append(context.request.target)
        self.targets.add(context.request.target)

class TwoNodes(Plugin[NoOptions]):
    name = "two_nodes"
    async def start(self, host):
        host.table("shared", 100, "cluster")
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "several.py").write_text(PLUGINS)
    return tmp_path


def settings(folder, member, *plugins):
    return config(
        member.address,
        route={"plugins": list(plugins)},
        plugin_paths=[str(folder / "plugins")],
        state={"backend": "local", "path": str(folder / "state")},
    )


def plugin_of(proxy, number=0):
    return proxy.worker.runtime.plugins.chains["all"].uses[number].plugin


def samples(proxy):
    return {(name, labels): value for name, labels, value in proxy.worker.samples()}


async def test_no_store_opens_for_plugins_without_tables(folder, member):
    async with serving(folder, settings(folder, member, "works")) as proxy:
        assert proxy.worker.state.shared is None
        assert not (folder / "state").exists()


async def test_table_of_a_plugin_outlives_reloads_and_restarts(folder, member):
    for expected in ([b"1", b"2"], [b"3", b"4"]):
        async with serving(folder, settings(folder, member, "keeps")) as proxy, proxy.client() as client:
            counts = []
            for _ in range(2):
                await client.ask(get())
                counts.append(member.requests[-1][b"x-count"])
                await proxy.change(lambda mapping: None)
            assert counts == expected
            assert len(proxy.worker.state._open) == 1


async def test_uses_of_a_plugin_do_not_share_their_tables(folder, member):
    async with (
        serving(folder, settings(folder, member, "keeps", "keeps")) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get())
        assert member.requests[-1][b"x-count"] == b"1"
        found = samples(proxy)
        for name in ("keeps", "keeps#2"):
            assert found["adc_plugin_table_entries", ("all", name, "seen")] == 2


async def test_gauges_and_their_help_are_metrics(folder, member):
    async with (
        serving(folder, settings(folder, member, "keeps")) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get())
        found = samples(proxy)
        assert found["adc_plugin_gauge", ("all", "keeps", "known_clients", "0")] == 1
        info = ("all", "keeps", "known_clients", "Clients in the table.")
        assert found["adc_plugin_metric_info", info] == 1
        assert found["adc_plugin_table_evicted_total", ("all", "keeps", "seen")] == 0


async def test_store_closes_after_the_last_exchange_of_the_plugin_that_a_reload_removed(folder):
    go = asyncio.Event()

    async def script(conversation):
        await conversation.request()
        await go.wait()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with (
        Member(script) as member,
        serving(folder, settings(folder, member, "keeps")) as proxy,
        proxy.client() as client,
    ):
        state = proxy.worker.state
        store, table = state.shared, plugin_of(proxy).table
        await client.send(get())
        await eventually(lambda: member.requests)
        await proxy.change(lambda mapping: mapping["routes"][0].pop("plugins"))
        assert state.shared is None
        assert store.environment is not None
        go.set()
        assert (await client.reply())[b"x-degraded"] == b"0"
        assert table.get(b"responses").value == b"1"
        await eventually(lambda: not state._open and not state._ending)
        assert store._file is None


async def test_file_that_an_old_plugin_still_uses_is_not_opened_twice(folder):
    go = asyncio.Event()

    async def script(conversation):
        await conversation.request()
        await go.wait()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with (
        Member(script) as member,
        serving(folder, settings(folder, member, "keeps")) as proxy,
        proxy.client() as client,
    ):
        store = proxy.worker.state.shared
        await client.send(get())
        await eventually(lambda: member.requests)
        await proxy.change(lambda mapping: mapping["routes"][0].pop("plugins"))
        await proxy.change(lambda mapping: mapping["state"].update(size="32MB"))
        await proxy.change(lambda mapping: mapping["routes"][0].update(plugins=["keeps"]))
        assert proxy.worker.state.shared is store
        go.set()
        await client.reply()
        await eventually(lambda: len(proxy.worker.state._open) == 1)
        assert plugin_of(proxy).table.get(b"responses").value == b"1"


async def test_rollback_keeps_the_tables_of_the_serving_plugins(folder, member):
    async with (
        serving(folder, settings(folder, member, "keeps")) as proxy,
        proxy.client() as client,
    ):
        store = proxy.worker.state.shared
        size = store.table("plugin/all/keeps/seen", 100).size
        (folder / "plugins" / "several.py").write_text(PLUGINS.replace("SIZE = 100", "SIZE = 5"))
        await proxy.prepare()
        assert plugin_of(proxy).table._table.size == 5
        proxy.worker.rollback()
        assert (proxy.worker.state.shared, plugin_of(proxy).table._table.size) == (store, size)
        await client.ask(get())
        assert member.requests[-1][b"x-count"] == b"1"


async def test_background_work_is_cancelled_before_close_and_its_failure_counted(folder, member):
    async with serving(folder, settings(folder, member, "works")) as proxy:
        key = ("adc_plugin_errors_total", ("all", "works", "background", "error"))
        await eventually(lambda: samples(proxy).get(key) == 1)
        life = type(plugin_of(proxy)).life
        assert life == []
        await proxy.change(lambda mapping: None)
        await eventually(lambda: life == ["cancelled", "closed"])
    line = next(line for line in proxy.error_log().splitlines() if "very private" in line)
    assert "plugin_message" in line
    assert "phase=background" in line
    assert "plugin=works" in line


async def test_background_work_of_a_candidate_ends_with_its_rollback(folder, member):
    async with serving(folder, settings(folder, member, "works")) as proxy:
        serves = plugin_of(proxy)
        await proxy.prepare()
        candidate = proxy.worker._candidate[0].plugins.chains["all"].uses[0].plugin
        proxy.worker.rollback()
        await eventually(lambda: candidate.life == ["cancelled", "closed"])
        assert (plugin_of(proxy), serves.life) == (serves, [])


async def test_table_of_the_cluster_needs_redis(folder, member):
    async with serving(folder, settings(folder, member, "keeps")) as proxy:
        before = proxy.worker.runtime
        with pytest.raises(BuildError, match=r"two_nodes does not start: .*backend: redis"):
            await proxy.change(lambda mapping: mapping["routes"][0].update(plugins=["keeps", "two_nodes"]))
        proxy.worker.rollback()
        assert proxy.worker.runtime is before
        assert not plugin_of(proxy).table.degraded
        await eventually(lambda: proxy.worker.state._open[0].borrowers == 1)


async def test_log_file_follows_a_rotation_and_reloads(folder, member):
    file, rotated = folder / "lines.log", folder / "lines.log.1"
    async with serving(folder, settings(folder, member, "writes")) as proxy, proxy.client() as client:
        await client.ask(get("/1"))
        await eventually(lambda: file.read_text() == "/1\n")
        file.rename(rotated)
        proxy.worker.call(REOPEN, NOTHING)
        await client.ask(get("/2"))
        await proxy.change(lambda mapping: None)
        await client.ask(get("/3"))
        await eventually(lambda: file.read_text() == "/2\n/3\n")
        await eventually(lambda: proxy.worker.log_files._users == {str(file): 1})
        await proxy.change(lambda mapping: mapping["routes"][0].pop("plugins"))
        await eventually(lambda: not proxy.worker.log_files._users)
    assert rotated.read_text() == "/1\n"


async def test_log_file_that_cannot_be_opened_rejects_the_configuration(folder, member):
    (folder / "lines.log").mkdir()
    async with serving(folder, settings(folder, member, "keeps")) as proxy:
        with pytest.raises(
            BuildError, match=r"writes does not start: .*lines.log cannot be used: Is a directory"
        ):
            await proxy.change(lambda mapping: mapping["routes"][0].update(plugins=["writes"]))
        proxy.worker.rollback()


async def test_keys_over_the_limit_are_counted_together_over_reloads(folder, member):
    async with serving(folder, settings(folder, member, "writes")) as proxy, proxy.client() as client:
        for target in ("/1", "/2", "/3"):
            await client.ask(get(target))
        await proxy.change(lambda mapping: None)
        await client.ask(get("/1"))
        counted = {
            labels[3]: value
            for (family, labels), value in samples(proxy).items()
            if family == "adc_plugin_keyed_counter_total"
        }
    assert counted == {"/1": 2, "/2": 1, "other": 1}


async def test_cache_folder_is_private_and_survives_a_reload(folder, member):
    mapping = {**settings(folder, member, "writes"), "state": {"path": str(folder / "state")}}
    async with serving(folder, mapping) as proxy:
        made = plugin_of(proxy).folder
        assert made.stat().st_mode & 0o077 == 0
        (made / "plan").write_bytes(b"x")
        await proxy.change(lambda mapping: None)
        assert (plugin_of(proxy).folder / "plan").read_bytes() == b"x"


async def test_plugin_sees_the_request_as_received(folder, member):
    fields = ["connection: keep-alive, X-B", "X-a: 1", "x-A: 2", "X-B: 3", "Content-Length: 0"]
    async with serving(folder, settings(folder, member, "writes")) as proxy, proxy.client() as client:
        await client.ask(get("http://b/x/%2e./y?q", *fields))
        request = plugin_of(proxy).request
        port = client.writer.get_extra_info("sockname")[1]
        assert request.received_target == "http://b/x/%2e./y?q"
        assert [b"%b: %b" % line for line in request.received_lines] == [
            b"Host: a",
            *(field.encode() for field in fields),
        ]
        assert request.client.address[:2] == ("127.0.0.1", port)
        assert request.client.own_address[:2] == ("127.0.0.1", proxy.port)
