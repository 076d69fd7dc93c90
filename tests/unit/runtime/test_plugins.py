"""Plugins of a configuration: made and started while other work goes on."""

import random
import sys

import pytest

from adc.config import load
from adc.runtime.assembly.runtime import build_runtime
from adc.runtime.errors import BuildError
from adc.runtime.plugins import Plugins, plugin_uses
from adc.runtime.steps import at_once, in_turns
from tests.kit.turns import turns_during

ROUTES = 30

PLUGIN = """
from adc.plugin import Options, Plugin

class HelloOptions(Options):
    greeting: int = 1

class Hello(Plugin[HelloOptions]):
    pass
"""


class FakeServices:
    """Services that nothing asks for."""

    def close(self):
        pass


@pytest.fixture
def configured(tmp_path):
    """Return a configuration with a plugin in each route, with these options."""
    (tmp_path / "hello.py").write_text(PLUGIN)

    def read(options):
        routes = [
            f"- {{match: {{path: /{number}/}}, respond: {{body: a}}, plugins: [{{hello: {options}}}]}}"
            for number in range(ROUTES)
        ]
        file = tmp_path / "adc.yaml"
        file.write_text(
            f"plugin_paths: [{tmp_path}]\nlisteners: [{{name: web, bind: 127.0.0.1:0}}]\nroutes:\n"
            + "\n".join(routes)
        )
        return load(file, {}).config

    return read


async def test_others_have_their_turn_between_two_plugins(configured):
    config = configured("{}")
    uses, turns = await turns_during(in_turns(plugin_uses(config)))
    assert turns >= ROUTES
    _, turns = await turns_during(Plugins(config, uses).start(FakeServices()))
    assert turns >= ROUTES


def test_wrong_options_are_all_named_and_the_modules_forgotten(configured):
    config = configured("{greeting: x}")
    before = set(sys.modules)
    with pytest.raises(BuildError) as raised:
        at_once(build_runtime(config, random.Random(1)))
    assert len(str(raised.value).splitlines()) == ROUTES
    assert not [name for name in sys.modules.keys() - before if name.startswith("adc_plugin_paths_")]
