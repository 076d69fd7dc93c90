"""The rate limit of the wire tests, tried with the test kit alone."""

from __future__ import annotations

from adc.plugin.testkit import Trial, request
from tests.wire.plugins.limits.rate_limit import ClusterRateLimit, RateLimit


async def test_request_over_the_limit_returns_429_until_the_window_ends() -> None:
    async with Trial(RateLimit, {"most": 2, "window": "60s"}) as trial:
        statuses = [(await trial.exchange()).response.status for _ in range(3)]
        assert statuses == [200, 200, 429]
        await trial.pass_time(20)
        assert (await trial.exchange()).response.headers.get(b"retry-after") == b"40"
        assert (await trial.exchange(request(client="192.0.2.2"))).response.status == 200
        await trial.pass_time(40)
        assert (await trial.exchange()).response.status == 200
        assert trial.counters == {"limited": 2}


async def test_machine_counts_alone_while_the_shared_store_is_down() -> None:
    async with Trial(ClusterRateLimit, {"most": 1}) as trial:
        assert (await trial.exchange()).response.status == 200
        assert (await trial.exchange()).response.status == 429
        trial.take_store_down()
        assert [(await trial.exchange()).response.status for _ in range(2)] == [200, 429]
        assert trial.errors == {}
