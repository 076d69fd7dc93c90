"""Faults of members: one of three misbehaves under steady traffic, then comes back."""

import asyncio
import os
import signal
import time

from tests.faults.load import Traffic
from tests.faults.network import namespace
from tests.faults.setting import Member, configuration, members, report, running

BEFORE = 2.0
DURING = 3.0
AFTER = 2.0


async def _struck(folder, strike, heal, **config):
    """Three members; `strike` and `heal` are done to the first."""
    async with (
        members() as pool,
        running(folder, configuration([member.address for member in pool], **config)) as service,
        Traffic(service.port) as traffic,
    ):
        await asyncio.sleep(BEFORE)
        struck = time.monotonic()
        await strike(pool[0])
        await asyncio.sleep(DURING)
        healed = time.monotonic()
        await heal(pool[0])
        await asyncio.sleep(AFTER)
    return report(traffic, struck, healed)


def _mode(mode):
    async def behaves(folder):
        return await _struck(folder, lambda member: member.behave(mode), lambda member: member.behave("ok"))

    return behaves


async def killed(folder):
    return await _struck(folder, Member.kill, Member.start)


async def stopped(folder):
    async def stop(member):
        member.signal(signal.SIGSTOP)

    async def go_on(member):
        member.signal(signal.SIGCONT)

    return await _struck(folder, stop, go_on)


async def bursts(folder):
    """500 for half a second, then well again, four times."""

    async def burst(member):
        for _ in range(4):
            await member.behave("error")
            await asyncio.sleep(0.4)
            await member.behave("ok")
            await asyncio.sleep(0.4)

    return await _struck(folder, burst, lambda member: member.behave("ok"))


async def blackholed(folder):
    """One of three members is behind a network that drops every packet from then on."""
    if os.geteuid() != 0:
        return None
    async with members(2) as pool, namespace() as (net, host):
        far = Member(2, host, ("ip", "netns", "exec", net.name), port=9000)
        await far.start()
        try:
            addresses = [member.address for member in (far, *pool)]
            async with (
                running(folder, configuration(addresses)) as service,
                Traffic(service.port) as traffic,
            ):
                await asyncio.sleep(2 * BEFORE)
                struck = time.monotonic()
                await net.drop()
                await asyncio.sleep(3 * DURING)
                over = time.monotonic()
        finally:
            await far.kill()
    found = report(traffic, struck, over)
    ratio = found.after / found.before
    found.note = f"p99 of the others {ratio:.2f} times the normal one"
    if ratio > 2 and not found.wrong:
        found.wrong = found.note
    return found


SCENARIOS = {
    "member killed": killed,
    "member hangs (accepts, answers nothing)": _mode("hang"),
    "member stopped (SIGSTOP)": stopped,
    "member answers garbage": _mode("garbage"),
    "member half-closes": _mode("half-close"),
    "member resets in the body": _mode("reset"),
    "member drips its head": _mode("drip"),
    "member answers 500 in bursts": bursts,
    "member blackholed": blackholed,
}
