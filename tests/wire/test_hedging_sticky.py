"""Hedged requests to pools with persistence: another member may respond, the pin stays."""

import asyncio
import contextlib

import pytest

from adc.pools.member import Admin
from tests.kit.client import get
from tests.kit.member import Member, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually
from tests.wire.test_sticky import HOUR, cookie_of

HEDGED = {"retries": {"attempts": 1, "hedge": {"after": "10ms"}}}


class Site:
    """Two members that say who they are; those in `silent` do not respond until their event in `speak` is set."""

    def __init__(self):
        self.silent = set()
        self.speak = {"m0": asyncio.Event(), "m1": asyncio.Event()}
        self.members = []
        self.proxy = None

    def script(self, name):
        async def script(conversation):
            while True:
                await conversation.request()
                if name in self.silent:
                    await self.speak[name].wait()
                await conversation.send(response(name.encode()))

        return script

    async def ask(self, cookie=""):
        async with self.proxy.client() as client:
            return await client.ask(get("/", *([f"Cookie: {cookie}"] if cookie else [])))


@contextlib.asynccontextmanager
async def site(folder, persistence, route=HEDGED, **pool):
    made = Site()
    async with contextlib.AsyncExitStack() as stack:
        for name in ("m0", "m1"):
            made.members.append(await stack.enter_async_context(Member(made.script(name))))
        addresses = [member.address for member in made.members]
        mapping = config(
            *addresses,
            pool={"persistence": persistence, "balance": "first", **pool},
            route=route,
            state="memory",
        )
        made.proxy = await stack.enter_async_context(serving(folder, mapping))
        yield made
        for event in made.speak.values():
            event.set()


async def test_a_hedge_of_a_pinned_client_leaves_the_cookie_alone(tmp_path):
    async with site(tmp_path, {"cookie": HOUR}) as made:
        first = await made.ask()
        cookie = cookie_of(first)
        made.silent.add("m0")
        reply = await made.ask(cookie)
        assert (first.body, reply.body) == (b"m0", b"m1")
        assert b"set-cookie" not in reply
        made.silent.clear()
        assert (await made.ask(cookie)).body == b"m0"


async def test_a_hedge_of_a_pinned_client_leaves_the_table_alone(tmp_path):
    async with site(tmp_path, {"source": HOUR}) as made:
        bodies = [(await made.ask()).body]
        made.silent.add("m0")
        bodies.append((await made.ask()).body)
        made.silent.clear()
        bodies.append((await made.ask()).body)
        assert bodies == [b"m0", b"m1", b"m0"]


@pytest.mark.parametrize("persistence", [{"cookie": HOUR}, {"source": HOUR}], ids=["cookie", "source"])
async def test_a_new_client_belongs_to_the_member_whose_hedge_responded(tmp_path, persistence):
    async with site(tmp_path, persistence) as made:
        made.silent.add("m0")
        first = await made.ask()
        made.silent.clear()
        cookie = cookie_of(first) if "cookie" in persistence else ""
        assert [first.body, (await made.ask(cookie)).body] == [b"m1", b"m1"]


async def test_with_fallback_error_a_pinned_client_is_not_hedged(tmp_path):
    async with site(tmp_path, {"cookie": HOUR, "fallback": "error"}) as made:
        cookie = cookie_of(await made.ask())
        made.silent.add("m0")
        asked = asyncio.create_task(made.ask(cookie))
        await eventually(lambda: len(made.members[0].requests) == 2)
        await asyncio.sleep(0.02)  # timers fire in order: that of a hedge would have been first
        assert made.proxy.member(1).requests == 0
        made.speak["m0"].set()
        assert (await asked).body == b"m0"


async def test_a_pinned_client_that_is_answered_in_time_is_not_hedged(tmp_path):
    async with site(tmp_path, {"cookie": HOUR}, {"retries": {"hedge": {"after": "1m"}}}) as made:
        cookie = cookie_of(await made.ask())
        assert (await made.ask(cookie)).body == b"m0"
        assert not made.members[1].requests


async def test_the_pin_moves_with_a_hedge_if_its_member_went_down_meanwhile(tmp_path):
    async with site(tmp_path, {"cookie": HOUR}) as made:
        cookie = cookie_of(await made.ask())
        made.silent |= {"m0", "m1"}
        asked = asyncio.create_task(made.ask(cookie))
        await eventually(lambda: made.members[1].requests)
        pool = made.proxy.worker.runtime.pools["app"]
        pool.set_admin(made.proxy.member(0), Admin.DISABLED, 0.0)
        made.speak["m1"].set()
        reply = await asked
        assert reply.body == b"m1"
        pool.set_admin(made.proxy.member(0), Admin.ENABLED, 0.0)
        assert (await made.ask(cookie_of(reply))).body == b"m1"


async def test_a_sticky_race_ends_when_the_client_goes(tmp_path):
    async with site(tmp_path, {"cookie": HOUR}) as made:
        made.silent |= {"m0", "m1"}
        async with made.proxy.client() as client:
            await client.send(get())
            await eventually(lambda: made.members[1].requests)
        await eventually(lambda: not made.proxy.member(0).active + made.proxy.member(1).active)
