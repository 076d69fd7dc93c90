"""When members are checked and what is told about them."""

import asyncio
from random import Random

import pytest

from adc.config import Config
from adc.control.health import HealthChecks
from adc.runtime.operations.health import Report

POOLS = {
    "app": {
        "members": ["127.0.0.1:9001", {"address": "127.0.0.1:9002", "name": "second"}],
        "health": {"active": {"path": "/", "interval": "10ms", "rise": 1, "fall": 1}},
    },
    "unchecked": {"members": ["127.0.0.1:9003"]},
}


def config(pools=POOLS):
    return Config.model_validate({"listeners": [{"bind": "127.0.0.1:8080"}], "pools": pools})


class Bench:
    """Checks that say what the test set, and the reports that came of it."""

    def __init__(self):
        self.failures = {}
        self.checked = []
        self.reports = asyncio.Queue()

    def build(self, address, health, tls, proxy_protocol, alpn):
        async def check():
            self.checked.append(address.text)
            return self.failures.get(address.text)

        return check

    async def report(self, report):
        self.reports.put_nowait(report)

    async def next(self):
        return await asyncio.wait_for(self.reports.get(), 5)


@pytest.fixture
async def bench():
    return Bench()


@pytest.fixture
async def checks(bench):
    checks = HealthChecks(bench.report, rng=Random(1), build=bench.build)
    yield checks
    await checks.close()


async def test_the_first_result_of_each_checked_member_is_told(checks, bench):
    bench.failures["127.0.0.1:9001"] = "refused"
    checks.follow(config())
    told = {report.member: report for report in (await bench.next(), await bench.next())}
    assert told["127.0.0.1:9001"] == Report("app", "127.0.0.1:9001", False, "refused")
    assert told["second"].up
    assert "127.0.0.1:9003" not in bench.checked


async def test_only_changes_are_told_and_all_is_known_for_a_new_worker(checks, bench):
    checks.follow(config())
    await bench.next()
    await bench.next()
    bench.failures["127.0.0.1:9002"] = "status 500"
    assert await bench.next() == Report("app", "second", False, "status 500")
    assert {report.member: report.up for report in checks.reports()} == {
        "127.0.0.1:9001": True,
        "second": False,
    }


async def test_a_reload_with_the_same_checks_keeps_what_is_known(checks, bench):
    checks.follow(config())
    await bench.next()
    await bench.next()
    checks.follow(config())
    assert len(checks.reports()) == 2


async def test_a_member_that_is_gone_is_checked_no_more(checks, bench):
    checks.follow(config())
    await bench.next()
    await bench.next()
    checks.follow(config({"app": {**POOLS["app"], "members": ["127.0.0.1:9001"]}}))
    bench.checked.clear()
    while len(bench.checked) < 3:
        await asyncio.sleep(0.005)
    assert set(bench.checked) == {"127.0.0.1:9001"}
    assert [report.member for report in checks.reports()] == ["127.0.0.1:9001"]


async def test_a_check_that_cannot_be_built_stops_no_other(bench):
    def build(address, health, tls, proxy_protocol, alpn):
        if address.port == 9001:
            raise FileNotFoundError("no such certificate")
        return bench.build(address, health, tls, proxy_protocol, alpn)

    checks = HealthChecks(bench.report, rng=Random(1), build=build)
    checks.follow(config())
    assert (await bench.next()).member == "second"
    await checks.close()


async def test_health_found_before_an_upgrade_is_known_at_once_and_kept(checks, bench):
    down = Report("app", "second", False, "refused")
    checks.take_over([down], config())
    assert checks.reports() == [down]
    checks.follow(config())
    assert checks.reports() == [down]
    assert [(await bench.next()).member for _ in range(2)].count("second") == 1


async def test_nothing_is_taken_over_of_members_that_are_not_checked_any_more(checks):
    down = Report("unchecked", "127.0.0.1:9003", False, "refused")
    checks.take_over([down], config())
    assert checks.reports() == []
