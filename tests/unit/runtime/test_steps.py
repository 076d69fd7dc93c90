"""Work in steps, at once or with turns of others."""

import random

import pytest

from adc.config import load
from adc.runtime.assembly.runtime import build_runtime
from adc.runtime.steps import at_once, in_turns
from tests.kit.turns import turns_during

POOLS = 20


def three():
    for _ in range(3):
        yield
    return "done"


def failing():
    yield
    raise ValueError("no")


def test_all_steps_are_taken_at_once():
    assert at_once(three()) == "done"
    with pytest.raises(ValueError, match="no"):
        at_once(failing())


async def test_others_have_a_turn_after_each_step():
    assert await turns_during(in_turns(three())) == ("done", 3)
    with pytest.raises(ValueError, match="no"):
        await in_turns(failing())


async def test_others_have_their_turn_between_pools_and_routes(tmp_path):
    pools = "".join(f"  p{number}: {{members: ['127.0.0.1:1']}}\n" for number in range(POOLS))
    routes = "".join(f"- {{match: {{path: /{number}/}}, pool: p{number}}}\n" for number in range(POOLS))
    file = tmp_path / "adc.yaml"
    file.write_text(f"listeners: [{{name: web, bind: 127.0.0.1:0}}]\nroutes:\n{routes}pools:\n{pools}")
    runtime, turns = await turns_during(in_turns(build_runtime(load(file, {}).config, random.Random(1))))
    assert len(runtime.pipelines) == len(runtime.pools) == POOLS
    assert turns >= 3 * POOLS
