"""Bursts over the limit of a pool: who waits, who is served, who is refused and why."""

import asyncio
import contextlib

import pytest

from adc.pools.member import Health
from tests.kit.client import get
from tests.kit.member import OK, Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually, settled


class Gate:
    """A member's script that answers one request for each `open`, and keeps track of how many it had at once."""

    def __init__(self):
        self._permits = asyncio.Semaphore(0)
        self.now = self.most = 0

    def open(self, count=1):
        for _ in range(count):
            self._permits.release()

    async def __call__(self, conversation):
        while True:
            await conversation.request()
            self.now += 1
            self.most = max(self.most, self.now)
            await self._permits.acquire()
            self.now -= 1
            await conversation.send(OK)


@pytest.fixture
def gate():
    return Gate()


@contextlib.asynccontextmanager
async def limited(tmp_path, gate, pool=None, **limits):
    limits = {"connections_per_member": 1, "queue": 10, "queue_timeout": "2s", **limits}
    async with (
        Member(gate) as member,
        serving(tmp_path, config(member.address, pool={"limits": limits, **(pool or {})})) as proxy,
    ):
        yield proxy


async def ask(proxy, path="/"):
    async with proxy.client() as client:
        return await client.ask(get(path))


def queue_of(proxy):
    return proxy.worker.runtime.pools["app"].queue


async def test_a_burst_over_the_limit_waits_and_is_then_served_in_order(tmp_path, gate):
    async with limited(tmp_path, gate) as proxy:
        asking = []
        for number in range(4):
            asking.append(asyncio.create_task(ask(proxy, f"/{number}")))
            await eventually(lambda waiting=number: len(queue_of(proxy)) == waiting)
            await eventually(lambda: gate.now == 1)
        gate.open(4)
        replies = await asyncio.gather(*asking)
        assert [reply.status for reply in replies] == [200] * 4
        assert gate.most == 1
        assert [line["target"] for line in proxy.access_log()] == ["/0", "/1", "/2", "/3"]


async def test_the_newest_is_served_first_when_asked_for(tmp_path, gate):
    async with limited(tmp_path, gate, queue_order="newest") as proxy:
        asking = []
        for number in range(3):
            asking.append(asyncio.create_task(ask(proxy, f"/{number}")))
            await eventually(lambda waiting=number: len(queue_of(proxy)) == waiting)
            await eventually(lambda: gate.now == 1)
        gate.open(3)
        await asyncio.gather(*asking)
        assert [line["target"] for line in proxy.access_log()] == ["/0", "/2", "/1"]


async def test_a_full_queue_refuses_at_once(tmp_path, gate):
    async with limited(tmp_path, gate, queue=1) as proxy:
        first = asyncio.create_task(ask(proxy))
        await eventually(lambda: gate.now == 1)
        second = asyncio.create_task(ask(proxy))
        await eventually(lambda: len(queue_of(proxy)) == 1)
        refused = await ask(proxy)
        assert (refused.status, refused[b"retry-after"]) == (503, b"5")
        assert refused[b"proxy-status"].startswith(b"adc; error=connection_limit_reached")
        assert proxy.access_log()[-1]["end_reason"] == "queue_full"
        gate.open(2)
        assert [(await task).status for task in (first, second)] == [200, 200]


async def test_queue_timeout_returns_503(tmp_path, gate):
    async with limited(tmp_path, gate) as proxy:
        first = asyncio.create_task(ask(proxy))
        await eventually(lambda: gate.now == 1)
        second = asyncio.create_task(ask(proxy))
        await eventually(lambda: len(queue_of(proxy)) == 1)
        proxy.pass_time(3)
        reply = await second
        assert (reply.status, reply[b"retry-after"]) == (503, b"5")
        assert proxy.access_log()[-1]["end_reason"] == "queue_timeout"
        assert (len(queue_of(proxy)), queue_of(proxy).expired) == (0, 1)
        gate.open()
        assert (await first).status == 200


async def test_a_client_that_goes_gives_up_its_place(tmp_path, gate):
    async with limited(tmp_path, gate) as proxy:
        first = asyncio.create_task(ask(proxy))
        await eventually(lambda: gate.now == 1)
        async with proxy.client() as client:
            await client.send(get("/"))
            await eventually(lambda: len(queue_of(proxy)) == 1)
        await eventually(lambda: len(queue_of(proxy)) == 0)
        gate.open()
        assert (await first).status == 200
        await settled()
        assert gate.most == 1
        assert proxy.access_log()[0]["end_reason"] == "client_gone"


async def test_without_a_queue_the_limit_refuses(tmp_path, gate):
    async with limited(tmp_path, gate, queue=0) as proxy:
        first = asyncio.create_task(ask(proxy))
        await eventually(lambda: gate.now == 1)
        assert (await ask(proxy)).status == 503
        assert proxy.access_log()[-1]["end_reason"] == "connection_limit"
        gate.open()
        await first


async def test_content_that_comes_while_waiting_is_kept(tmp_path, gate):
    async with limited(tmp_path, gate) as proxy:
        first = asyncio.create_task(ask(proxy))
        await eventually(lambda: gate.now == 1)
        async with proxy.client() as client:
            await client.send(get("/", "Content-Length: 4", method="POST"))
            await eventually(lambda: len(queue_of(proxy)) == 1)
            await client.send(b"body")
            await settled()
            gate.open(2)
            assert (await client.reply()).status == 200
        await first


async def test_waiters_outlive_a_reload(tmp_path, gate):
    async with limited(tmp_path, gate) as proxy:
        first = asyncio.create_task(ask(proxy))
        await eventually(lambda: gate.now == 1)
        second = asyncio.create_task(ask(proxy))
        await eventually(lambda: len(queue_of(proxy)) == 1)
        await proxy.prepare()
        proxy.worker.commit()
        gate.open(2)
        assert [(await task).status for task in (first, second)] == [200, 200]


async def test_a_member_that_comes_back_takes_who_waits(tmp_path, gate):
    other = Gate()
    limits = {"connections_per_member": 1}
    async with (
        Member(gate) as one,
        Member(other) as two,
        serving(tmp_path, config(one.address, two.address, pool={"limits": limits})) as proxy,
    ):
        proxy.set_admin(two.address, "disabled")
        first = asyncio.create_task(ask(proxy))
        await eventually(lambda: gate.now == 1)
        second = asyncio.create_task(ask(proxy))
        await eventually(lambda: len(queue_of(proxy)) == 1)
        proxy.set_admin(two.address, "enabled")
        await eventually(lambda: other.now == 1)
        gate.open()
        other.open()
        await asyncio.gather(first, second)


@pytest.mark.parametrize(
    ("breaker", "reason"),
    [({"requests": 1}, "overload"), ({"connections": 1}, "connection_limit")],
    ids=["requests", "connections"],
)
async def test_the_breaker_refuses_at_once(tmp_path, gate, breaker, reason):
    async with limited(tmp_path, gate, {"breaker": breaker}, connections_per_member=0) as proxy:
        first = asyncio.create_task(ask(proxy))
        await eventually(lambda: gate.now == 1)
        refused = await ask(proxy)
        assert (refused.status, refused[b"retry-after"]) == (503, b"5")
        assert proxy.access_log()[-1]["end_reason"] == reason
        gate.open()
        assert (await first).status == 200


async def test_the_breaker_bounds_who_waits(tmp_path, gate):
    async with limited(tmp_path, gate, {"breaker": {"pending": 1}}) as proxy:
        tasks = [asyncio.create_task(ask(proxy))]
        await eventually(lambda: gate.now == 1)
        tasks.append(asyncio.create_task(ask(proxy)))
        await eventually(lambda: len(queue_of(proxy)) == 1)
        assert (await ask(proxy)).status == 503
        assert proxy.access_log()[-1]["end_reason"] == "queue_full"
        gate.open(2)
        await asyncio.gather(*tasks)


async def test_the_adaptive_limit_refuses_what_is_over_it(tmp_path, gate):
    adaptive = {"min": 1, "initial": 2, "max": 2}
    async with limited(tmp_path, gate, {"adaptive": adaptive}, connections_per_member=0) as proxy:
        tasks = [asyncio.create_task(ask(proxy)) for _ in range(2)]
        await eventually(lambda: gate.now == 2)
        assert (await ask(proxy)).status == 503
        assert proxy.access_log()[-1]["end_reason"] == "overload"
        gate.open(2)
        await asyncio.gather(*tasks)


async def test_no_member_is_told_at_once_and_not_waited_for(tmp_path, gate):
    async with limited(tmp_path, gate) as proxy:
        proxy.report_health(proxy.member().address, False, "status 500")
        reply = await ask(proxy)
        assert (reply.status, reply[b"retry-after"]) == (503, b"5")
        assert proxy.access_log()[-1]["end_reason"] == "no_member"
        assert "member_state" in proxy.error_log()
        assert 'before=unknown after=down reason="status 500"' in proxy.error_log()


async def test_metrics_tell_who_waits_and_who_was_refused(tmp_path, gate):
    async with limited(tmp_path, gate, {"breaker": {"requests": 5}}, queue=1) as proxy:
        tasks = [asyncio.create_task(ask(proxy))]
        await eventually(lambda: gate.now == 1)
        tasks.append(asyncio.create_task(ask(proxy)))
        await eventually(lambda: len(queue_of(proxy)) == 1)
        assert (await ask(proxy)).status == 503
        told = {(sample.name, *sample.labels): sample.value for sample in proxy.worker.samples()}
        assert told["adc_pool_queued", "app"] == 1
        assert told["adc_pool_queue_refused_total", "app"] == 1
        assert told["adc_pool_queue_timeouts_total", "app"] == 0
        assert told["adc_pool_breaker_refused_total", "app", "overload"] == 0
        gate.open(2)
        await asyncio.gather(*tasks)


async def test_idle_connections_are_not_held_against_the_next_request(tmp_path, gate):
    async with limited(tmp_path, gate, {"breaker": {"connections": 1}}, connections_per_member=0) as proxy:
        gate.open(2)
        assert (await ask(proxy)).status == 200
        assert (await ask(proxy)).status == 200
        assert proxy.links[0].opened == 1


async def test_connections_that_are_being_opened_count_for_the_breaker(tmp_path, gate):
    async with limited(tmp_path, gate, {"breaker": {"connections": 2}}, connections_per_member=0) as proxy:
        asking = [asyncio.create_task(ask(proxy)) for _ in range(6)]
        await eventually(lambda: sum(task.done() for task in asking) == 4 and gate.most == 2)
        gate.open(2)
        assert sorted(reply.status for reply in await asyncio.gather(*asking)) == [200] * 2 + [503] * 4
        assert gate.most == 2


async def test_an_idle_connection_gives_way_to_one_to_another_member(tmp_path):
    async with (
        Member(answering) as one,
        Member(answering) as two,
        serving(tmp_path, config(one.address, two.address, pool={"breaker": {"connections": 1}})) as proxy,
    ):
        assert [(await ask(proxy)).status for _ in range(4)] == [200] * 4
        await settled()
        assert sum(link.connections for link in proxy.links) == 1


async def answering(conversation):
    while True:
        await conversation.request()
        await conversation.send(OK)


async def resetting(conversation):
    await conversation.request()
    conversation.reset()


async def test_a_retry_waits_for_a_member_that_is_at_its_limit(tmp_path, gate):
    async with (
        Member(gate) as full,
        Member(resetting) as broken,
        serving(
            tmp_path,
            config(full.address, broken.address, pool={"limits": {"connections_per_member": 1}}),
        ) as proxy,
    ):
        first = asyncio.create_task(ask(proxy, "/first"))
        await eventually(lambda: gate.now == 1)
        second = asyncio.create_task(ask(proxy, "/second"))
        await eventually(lambda: len(queue_of(proxy)) == 1)
        assert proxy.member(1).failures == 1
        gate.open(2)
        assert [(await task).status for task in (first, second)] == [200, 200]
        assert proxy.access_log()[1]["attempts"] == 2
        assert (gate.most, proxy.member(0).retries) == (1, 1)


async def test_a_retry_that_finds_the_queue_full_fails_as_what_it_was(tmp_path, gate):
    breaking = asyncio.Event()

    async def broken(conversation):
        await conversation.request()
        await breaking.wait()
        conversation.reset()

    limits = {"connections_per_member": 2, "queue": 1}
    async with (
        Member(gate) as full,
        Member(broken) as other,
        serving(tmp_path, config(full.address, other.address, pool={"limits": limits})) as proxy,
    ):
        asking = [asyncio.create_task(ask(proxy)) for _ in range(4)]
        await eventually(lambda: gate.now == len(other.requests) == 2)
        breaking.set()
        await eventually(lambda: any(task.done() for task in asking))
        gate.open(3)
        assert sorted([(await task).status for task in asking]) == [200, 200, 200, 502]


@pytest.mark.parametrize(
    "limits",
    [{}, {"connections_per_member": 2, "queue": 10}, {"connections_per_member": 2, "queue": 0}],
    ids=["no limit", "a higher limit", "no queue"],
)
async def test_a_reload_that_makes_room_lets_waiters_in(tmp_path, gate, limits):
    async with limited(tmp_path, gate) as proxy:
        first = asyncio.create_task(ask(proxy))
        await eventually(lambda: gate.now == 1)
        second = asyncio.create_task(ask(proxy))
        await eventually(lambda: len(queue_of(proxy)) == 1)
        await proxy.change(lambda settings: settings["pools"]["app"].update(limits=limits))
        await eventually(lambda: gate.now == 2)
        gate.open(2)
        assert [(await task).status for task in (first, second)] == [200, 200]


async def test_waiters_of_the_configuration_before_go_to_the_members_of_this_one(tmp_path, gate):
    async with limited(tmp_path, gate) as proxy, Member(answering) as other:
        first = asyncio.create_task(ask(proxy))
        await eventually(lambda: gate.now == 1)
        second = asyncio.create_task(ask(proxy))
        await eventually(lambda: len(queue_of(proxy)) == 1)
        await proxy.change(lambda settings: settings["pools"]["app"].update(members=[other.address]))
        assert (await second).status == 200
        gate.open()
        assert (await first).status == 200


async def test_requests_in_flight_before_a_reload_count_for_the_breaker(tmp_path, gate):
    async with limited(tmp_path, gate, {"breaker": {"requests": 1}}, connections_per_member=0) as proxy:
        first = asyncio.create_task(ask(proxy))
        await eventually(lambda: gate.now == 1)
        await proxy.change(lambda settings: None)
        assert (await ask(proxy)).status == 503
        gate.open()
        assert (await first).status == 200


async def test_an_ejection_ends_without_traffic(tmp_path, gate):
    async with limited(tmp_path, gate, {"health": {"passive": {"failures": 1, "eject": "1s"}}}) as proxy:
        member = proxy.member()
        member.ejected, member.ejected_until = True, proxy.worker.clock.now + 0.1
        pool = proxy.worker.runtime.pools["app"]
        pool.set_health(member, Health.UP, proxy.worker.clock.now)
        assert member.state == "ejected"
        await eventually(lambda: member.state == "up")
