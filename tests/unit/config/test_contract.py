"""The configurations that users and outside checks rely on."""

from pathlib import Path

import pytest

from adc.config import load

ROOT = Path(__file__).parents[3]
CONTRACT = ROOT / "tests" / "contract"
EXAMPLES = sorted((ROOT / "config").glob("*.yaml"))


@pytest.mark.parametrize("file", sorted(CONTRACT.glob("*.yaml")), ids=lambda file: file.stem)
def test_contract_files_load_without_a_warning(file: Path) -> None:
    assert load(file, {}).lint == ()


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples_load_without_a_warning(file: Path) -> None:
    assert load(file, {}).lint == ()


def test_there_is_an_example_for_each_task() -> None:
    tasks = {"quickstart", "routing", "resilience", "cache", "sticky", "tls", "cluster"}
    assert tasks <= {file.stem for file in EXAMPLES}


def test_contract_values_arrive_in_the_model() -> None:
    routing = load(CONTRACT / "02-routing.yaml", {}).config
    by_name = {route.name: route for route in routing.routes}
    assert [rule.wildcard or rule.exact for rule in by_name["old-site"].match.host] == [
        "old.example.com",
        "*.old.example.com",
    ]
    assert by_name["beta"].match.path[0].prefix == "/app/"
    assert by_name["beta"].match.headers["x-beta"][0].exact == "1"
    assert by_name["canary"].split == {"blue": 90, "green": 10}
    assert routing.pools["blue"].members[1].weight == 3
    resilience = load(CONTRACT / "03-resilience.yaml", {}).config
    pool = resilience.pools["app"]
    assert pool.health.active is not None
    assert (pool.health.active.timeout, pool.health.active.expect.status) == (0.5, ((200, 299),))
    assert pool.health.passive is not None
    assert pool.health.passive.max_ejected == 0.5
    assert resilience.listeners[0].limits.header_bytes == 32768
    assert resilience.routes[0].retries.on == ("connect_failure", "reset_before_response", "503")
