"""Persistent collections in a table."""

from __future__ import annotations

from adc_plugins.waf.persistent import LONGEST, TableCollections

from adc.plugin import Host, NoOptions, Plugin
from adc.plugin.testkit import Trial


class Keeps(Plugin[NoOptions]):
    async def start(self, host: Host) -> None:
        self.collections = TableCollections(host.table("collections", 10))


async def test_collection_is_kept_for_its_time() -> None:
    async with Trial(Keeps) as trial:
        plugin = trial.plugin
        assert isinstance(plugin, Keeps)
        kept = plugin.collections
        values = {b"counter": b"3", b"": b"\0\xff", b"a:1": b""}
        kept.store("IP", b"192.0.2.1" * 100, values, 60)
        assert kept.load("IP", b"192.0.2.1" * 100) == values
        assert kept.load("GLOBAL", b"192.0.2.1" * 100) == {}
        await trial.pass_time(61)
        assert kept.load("IP", b"192.0.2.1" * 100) == {}


async def test_collection_over_an_entry_keeps_what_fits() -> None:
    async with Trial(Keeps) as trial:
        plugin = trial.plugin
        assert isinstance(plugin, Keeps)
        kept = plugin.collections
        kept.store("IP", b"a", {b"first": b"1", b"large": b"x" * LONGEST, b"last": b"2"}, 60)
        assert kept.load("IP", b"a") == {b"first": b"1", b"last": b"2"}
