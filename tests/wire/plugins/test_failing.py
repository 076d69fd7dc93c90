"""Plugins that fail, and plugins that cannot be built."""

from random import Random

import pytest
import yaml

from adc.config.loading import load
from adc.runtime.assembly.runtime import build_runtime
from adc.runtime.errors import BuildError
from adc.runtime.steps import at_once
from tests.kit.client import get
from tests.kit.proxy import config, serving
from tests.wire.plugins.plugged import asked, route


@pytest.mark.parametrize("phase", ["request_head", "response_head"])
@pytest.mark.parametrize("how", ["raise", "loop", "regex", "nonsense"])
async def test_a_plugin_that_fails_closed_costs_one_exchange(folder, member, phase, how):
    plugins = route({"bad": {"phase": phase, "how": how, "budget": "50ms"}}, folder=folder)
    async with serving(folder, config(member.address, **plugins)) as proxy, proxy.client() as client:
        reply = await client.ask(get())
        assert reply.status == 500
        assert b"private" not in reply.raw
        assert proxy.access_log()[0]["end_reason"] == "plugin_error"
        assert "plugin=bad" in proxy.error_log()
        ((key, number),) = proxy.worker.runtime.plugins.chains["all"].uses[0].errors.items()
        assert (key[0], number) == (phase, 1)


@pytest.mark.parametrize("how", ["raise", "loop"])
@pytest.mark.parametrize("phase", ["request_head", "response_head"])
async def test_a_plugin_that_fails_open_is_passed_by(folder, member, phase, how):
    bad = {"bad": {"phase": phase, "how": how, "budget": "50ms", "on_error": "fail_open"}}
    reply = await asked(folder, member, get(), bad)
    assert reply.status == 200


async def test_a_log_phase_that_fails_harms_nobody(folder, member):
    plugins = route({"bad": {"phase": "log"}}, folder=folder)
    async with serving(folder, config(member.address, **plugins)) as proxy, proxy.client() as client:
        assert [(await client.ask(get())).status for _ in range(2)] == [200, 200]
        assert proxy.worker.runtime.plugins.chains["all"].uses[0].errors == {("log", "error"): 2}


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        ("taag", "route all: plugin taag: there is no such plugin; did you mean tag"),
        ({"tag": {"tga": "1"}}, "route all: plugin tag: tga: unknown option; did you mean tag"),
        ({"tag": {"wait": "often"}}, "route all: plugin tag: wait: .*bool"),
        ({"tag": {"on_error": "shrug"}}, "plugin tag: on_error: is 'shrug'; use fail_closed or"),
        ({"tag": {"budget": "1 year"}}, "plugin tag: budget: '1 year' is not a duration"),
    ],
)
def test_error_of_a_plugin_names_route_and_key(folder, plugin, message):
    file = folder / "adc.yaml"
    file.write_text(yaml.safe_dump(config("127.0.0.1:1", **route(plugin, folder=folder))))
    with pytest.raises(BuildError, match=message):
        at_once(build_runtime(load(file).config, Random(1)))
