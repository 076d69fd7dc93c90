"""Rates of requests."""

from __future__ import annotations

from typing import Any

import pytest
from adc_plugins.rate_limit.plugin import RateLimit

from adc.plugin import OptionErrors
from adc.plugin.testkit import Outcome, Trial, request


async def statuses(trial: Trial, times: int, **head: Any) -> list[int]:
    return [(await trial.exchange(request(**head))).response.status for _ in range(times)]


async def admitted(trial: Trial, times: int, **head: Any) -> int:
    return (await statuses(trial, times, **head)).count(200)


SCOPES = pytest.mark.parametrize("scope", ["node", "cluster"])


@SCOPES
async def test_burst_then_the_rate(scope: str) -> None:
    async with Trial(RateLimit, {"rate": "10/s", "burst": 20, "scope": scope}) as trial:
        assert await admitted(trial, 30) == 20
        await trial.pass_time(0.3)
        assert await admitted(trial, 10) == 3
        await trial.pass_time(100)
        assert await admitted(trial, 30) == 20
        assert trial.keyed_counters == {"limited": {"default": 27}}


@SCOPES
@pytest.mark.parametrize("rate", ["10/s", "600/m", "5000/s", "100000/s"])
async def test_ten_seconds_admit_the_limit(scope: str, rate: str) -> None:
    number, unit = rate.split("/")
    per_second = int(number) / {"s": 1, "m": 60}[unit]
    step, count, burst = 0.05, 0, int(per_second) * 2
    async with Trial(
        RateLimit, {"rate": rate, "burst": burst, "scope": scope, "cost": max(1, burst // 100)}
    ) as trial:
        for _ in range(200):
            for _ in range(60):
                if (await trial.exchange(request())).response.status != 200:
                    break
                count += max(1, burst // 100)
            await trial.pass_time(step)
    assert count == pytest.approx(burst + 10 * per_second, rel=0.02)


@SCOPES
async def test_sliding_window_holds_in_any_stretch(scope: str) -> None:
    options = {"rate": "10/s", "algorithm": "sliding_window", "scope": scope}
    async with Trial(RateLimit, options) as trial:
        await trial.pass_time(0.9)
        assert await admitted(trial, 20) == 10
        await trial.pass_time(0.9)
        assert await admitted(trial, 20) == 0
        await trial.pass_time(0.2)
        assert await admitted(trial, 20) == 10


@pytest.mark.parametrize("rate", ["1/s", "60/m", "3600/h", "86400/d", "30/30s"])
async def test_units_of_rates(rate: str) -> None:
    async with Trial(RateLimit, {"rate": rate, "burst": 1}) as trial:
        assert await statuses(trial, 2) == [200, 429]
        await trial.pass_time(1.01)
        assert await statuses(trial, 2) == [200, 429]


async def test_refusal_says_when_to_come_back() -> None:
    async with Trial(RateLimit, {"rate": "6/m", "burst": 1}) as trial:
        await trial.exchange()
        refused = (await trial.exchange()).response
        assert refused.headers.get(b"retry-after") == b"10"
        assert refused.headers.get(b"ratelimit") == b'"default";r=0;t=10'
        assert refused.headers.get(b"ratelimit-policy") == b'"default";q=1;w=10'


async def fields(headers: str, **more: Any) -> dict[bytes, bytes]:
    async with Trial(RateLimit, {"rate": "10/s", "burst": 20, "headers": headers, **more}) as trial:
        return dict((await trial.exchange()).response.headers.pairs)


async def test_fields_of_responses() -> None:
    draft = {b"RateLimit": b'"api";r=19;t=1', b"RateLimit-Policy": b'"api";q=20;w=2'}
    legacy = {b"X-RateLimit-Limit": b"20", b"X-RateLimit-Remaining": b"19", b"X-RateLimit-Reset": b"1"}
    assert await fields("draft", name="api") == draft
    assert await fields("legacy", name="api") == legacy
    assert await fields("both", name="api") == draft | legacy
    assert await fields("none") == {}


async def test_several_limits_hold_together_and_refusals_do_not_count() -> None:
    limits = [
        {"name": "second", "rate": "2/s"},
        {"name": "minute", "rate": "3/m", "algorithm": "sliding_window"},
    ]
    async with Trial(RateLimit, {"limits": limits}) as trial:
        outcome = await trial.exchange()
        assert outcome.response.headers.get(b"ratelimit") == b'"second";r=1;t=1, "minute";r=2;t=61'
        assert await statuses(trial, 3) == [200, 429, 429]
        await trial.pass_time(1.1)
        assert await statuses(trial, 3) == [200, 429, 429]
        assert trial.keyed_counters == {"limited": {"second": 2, "minute": 2}}


@pytest.mark.parametrize(
    ("key", "same", "other"),
    [
        ("source", {"target": "/b"}, {"client": "192.0.2.2"}),
        ("route", {"client": "192.0.2.2"}, None),
        ("host", {"client": "192.0.2.2"}, {"host": "b.example"}),
        ("method", {"client": "192.0.2.2"}, {"method": "POST"}),
        ("path", {"client": "192.0.2.2", "target": "/?x"}, {"target": "/b"}),
        ("query", {"client": "192.0.2.2"}, {"target": "/?x"}),
        ("header:x-key", {"headers": {"X-Key": "a", "Y": "1"}}, {"headers": {"X-Key": "b"}}),
        ("cookie:s", {"headers": {"Cookie": "t=1; s=a"}}, {"headers": {"Cookie": "s=b"}}),
        ("query:k", {"target": "/x?j=1&k=a"}, {"target": "/?k=b"}),
        (["source", "method"], {"target": "/b"}, {"method": "POST"}),
    ],
)
async def test_key_says_what_shares_the_limit(key: Any, same: Any, other: Any) -> None:
    first = {"header:x-key": {"headers": {"x-key": "a"}}, "cookie:s": {"headers": {"Cookie": "s=a"}}}
    base = first.get(key, {"target": "/?k=a"} if key == "query:k" else {}) if isinstance(key, str) else {}
    async with Trial(RateLimit, {"rate": "1/h", "key": key}) as trial:
        assert await statuses(trial, 2, **base) == [200, 429]
        assert await statuses(trial, 1, **same) == [429]
        if other is not None:
            assert await statuses(trial, 1, **other) == [200]


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("source", [200, 429, 200]), ("shared", [200, 429, 429]), ("skip", [200, 200, 200])],
)
async def test_request_without_the_key(missing: str, expected: list[int]) -> None:
    async with Trial(RateLimit, {"rate": "1/h", "key": "header:x-key", "missing": missing}) as trial:
        assert await statuses(trial, 2) + await statuses(trial, 1, client="192.0.2.2") == expected


async def test_empty_value_is_not_a_missing_one() -> None:
    async with Trial(RateLimit, {"rate": "1/h", "key": ["header:x-key"], "missing": "shared"}) as trial:
        assert await statuses(trial, 1) == [200]
        assert await statuses(trial, 1, headers={"X-Key": ""}) == [200]


async def test_long_keys_are_told_apart_and_take_little_memory() -> None:
    async with Trial(RateLimit, {"rate": "1/h", "key": "header:x-key"}) as trial:
        for end in "ab":
            assert await statuses(trial, 2, headers={"X-Key": "k" * 5000 + end}) == [200, 429]
        assert max(len(key) for key, _ in trial.tables["shared_0"].scan().entries) <= 65


async def test_prefixes_of_addresses_count_as_one_source() -> None:
    async with Trial(RateLimit, {"rate": "1/h", "source_prefix4": 24}) as trial:
        assert await statuses(trial, 1, client="192.0.2.1") == [200]
        assert await statuses(trial, 1, client="192.0.2.200") == [429]
        assert await statuses(trial, 1, client="2001:db8::1") == [200]
        assert await statuses(trial, 1, client="2001:db8::ffff:2") == [429]
        assert await statuses(trial, 1, client="2001:db8:0:1::1") == [200]
        assert await statuses(trial, 1, client="unix") == [200]


async def test_costs_and_exempt_clients() -> None:
    options = {"rate": "10/h", "costs": {"POST": 5, "OPTIONS": 0}, "exempt": ["198.51.100.0/24"]}
    async with Trial(RateLimit, options) as trial:
        assert await admitted(trial, 30, method="OPTIONS") == 30
        assert await admitted(trial, 30, client="198.51.100.9") == 30
        assert await statuses(trial, 3, method="POST") == [200, 200, 429]
        assert await statuses(trial, 1) == [429]


async def test_cheap_request_is_admitted_where_a_dear_one_is_refused() -> None:
    async with Trial(RateLimit, {"rate": "10/h", "costs": {"POST": 8}}) as trial:
        assert await admitted(trial, 5) == 5
        assert await statuses(trial, 1, method="POST") == [429]
        assert await admitted(trial, 9) == 5


async def test_dry_run_counts_and_logs() -> None:
    async with Trial(RateLimit, {"rate": "1/h", "dry_run": True}) as trial:
        assert await statuses(trial, 3) == [200] * 3
        assert trial.keyed_counters == {"limited": {"default": 2}}
        outcome: Outcome = await trial.exchange()
        assert outcome.messages[0]["limit"] == "default"


@pytest.mark.parametrize(
    ("policy", "expected"), [("local", [200, 429]), ("admit", [200, 200]), ("reject", [503, 503])]
)
async def test_store_that_is_away(policy: str, expected: list[int]) -> None:
    options = {"rate": "1/h", "scope": "cluster", "on_store_failure": policy}
    async with Trial(RateLimit, options) as trial:
        trial.take_store_down()
        assert await statuses(trial, 2) == expected
        trial.take_store_down(False)
        await trial.pass_time(1)
        assert await statuses(trial, 2, client="192.0.2.9") == [200, 429]
        assert trial.counters["store_failures"] == 1


async def test_limit_outlives_a_reload() -> None:
    trial = Trial(RateLimit, {"rate": "2/h"})
    async with trial:
        assert await statuses(trial, 1) == [200]
    async with trial:
        assert await statuses(trial, 2) == [200, 429]


async def test_delay_has_requests_over_the_rate_wait() -> None:
    import asyncio

    async with Trial(RateLimit, {"rate": "10/s", "burst": 1, "delay": "200ms"}) as trial:
        assert await statuses(trial, 1) == [200]
        waiting = [asyncio.ensure_future(trial.exchange()) for _ in range(3)]
        await asyncio.sleep(0.01)
        assert [task.done() for task in waiting] == [False, False, True]
        assert waiting[2].result().response.status == 429
        await trial.pass_time(0.1)
        await asyncio.sleep(0.01)
        assert [task.done() for task in waiting] == [True, False, True]
        await trial.pass_time(0.1)
        assert [(await task).response.status for task in waiting] == [200, 200, 429]
        assert trial.counters["delayed"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "write rate, such as 100/s, or limits"),
        ({"rate": "100"}, "'100' is not a rate; write 100/s"),
        ({"rate": "0/s"}, "out of range"),
        ({"rate": "1/90d"}, "out of range"),
        ({"rate": "1/s", "limits": [{"rate": "1/s"}]}, "write rate"),
        ({"limits": [{"rate": "1/s"}, {"rate": "2/s"}]}, "two limits have the same name"),
        ({"rate": "1/s", "key": "address"}, "'address' is not a part of a key; use source, route"),
        ({"rate": "1/s", "key": "header:"}, "not a part of a key"),
        ({"rate": "1/s", "key": []}, "not a key"),
        ({"rate": "1/s", "cost": 2}, "never admits a request that counts as 2"),
        (
            {"rate": "1/s", "burst": 5, "algorithm": "sliding_window"},
            "burst and delay belong to token_bucket",
        ),
        ({"rate": "1/s", "delay": "5s"}, "out of range; allowed: up to 4"),
        ({"rate": "1/s", "name": "a b"}, "not a name"),
    ],
)
def test_wrong_options_are_named(options: Any, message: str) -> None:
    with pytest.raises(OptionErrors, match=message):
        Trial(RateLimit, options)


@pytest.mark.parametrize(
    ("scope", "synced", "shared"),
    [
        ("auto", True, True),
        ("auto", False, False),
        ("cluster", False, True),
        ("node", True, False),
    ],
)
async def test_nodes_share_a_limit_as_scope_and_cluster_say(scope: str, synced: bool, shared: bool) -> None:
    trial = Trial(RateLimit, {"rate": "1/h", "scope": scope})
    trial._services.shares_rates = synced
    async with trial:
        assert ("shared_0" in trial.tables) is shared
