"""Maintenance, switched by an operator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from adc_plugins.maintenance import Maintenance

from adc.plugin import OptionErrors
from adc.plugin.testkit import PluginStartFailed, Trial, request


async def status(trial: Trial, **head: Any) -> int:
    return (await trial.exchange(request(**head))).response.status


async def test_switch_turns_maintenance_on_and_off() -> None:
    async with Trial(Maintenance, {"retry_after": "10m"}) as trial:
        assert await status(trial) == 200
        trial.turn("maintenance")
        outcome = await trial.exchange()
        assert (outcome.response.status, outcome.response.headers.get(b"retry-after")) == (503, b"600")
        assert outcome.response.headers.get(b"cache-control") == b"no-store"
        trial.turn("maintenance", False)
        assert await status(trial) == 200
        assert trial.counters == {"refused": 1}


async def test_switch_holds_over_a_reload_and_for_years() -> None:
    trial = Trial(Maintenance)
    async with trial:
        trial.turn("maintenance")
    async with trial:
        await trial.pass_time(366 * 86400)
        assert await status(trial) == 503


async def test_configuration_has_it_on_whatever_the_operator_says() -> None:
    async with Trial(Maintenance, {"on": True}) as trial:
        trial.turn("maintenance", False)
        assert await status(trial) == 503


async def test_other_switch_is_another() -> None:
    async with Trial(Maintenance, {"switch": "shop"}) as trial:
        trial.turn("maintenance")
        assert await status(trial) == 200
        trial.turn("shop")
        assert await status(trial) == 503


async def test_allowed_clients_and_paths_are_served() -> None:
    options = {"on": True, "allow": ["10.0.0.0/8"], "paths": ["/healthz", "/status/"]}
    async with Trial(Maintenance, options) as trial:
        assert await status(trial, client="10.1.2.3") == 200
        assert await status(trial, target="/healthz?x") == 200
        assert await status(trial, target="/status/a") == 200
        assert [await status(trial, target=path) for path in ("/healthzz", "/status", "/")] == [503] * 3


async def test_own_page_is_sent_and_read_again(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>back soon")
    async with Trial(Maintenance, {"on": True, "page": "page.html"}, folder=tmp_path) as trial:
        outcome = await trial.exchange()
        assert (outcome.response.status, outcome.body) == (503, b"<p>back soon")
        assert outcome.response.headers.get(b"content-type") == b"text/html; charset=utf-8"
        page.write_text("<p>back later")
        await trial.pass_time(1)
        assert (await trial.exchange()).body == b"<p>back later"
        page.write_bytes(b"x" * (1 << 20) + b"x")
        await trial.pass_time(1)
        assert (await trial.exchange()).body == b"<p>back later"


async def test_missing_page_and_wrong_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        PluginStartFailed, match=r"Maintenance does not start: .*none.html cannot be used: No such file"
    ):
        async with Trial(Maintenance, {"page": "none.html"}, folder=tmp_path):
            pass
    for wrong in ({"switch": "My shop"}, {"allow": ["x"]}, {"status": 200}, {"paths": ["healthz"]}):
        with pytest.raises(OptionErrors):
            Trial(Maintenance, wrong)
