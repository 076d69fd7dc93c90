"""Requests and answers over a channel."""

import asyncio
import contextlib
import socket

import pytest

from adc.control.calls import CallEndpoint, CallFailed, CallRefused
from tests.kit.waiting import PATIENCE


async def silent(verb, body, sockets):
    await asyncio.Event().wait()


@contextlib.contextmanager
def connected(serve):
    here, there = socket.socketpair()
    ended = asyncio.Event()
    caller = CallEndpoint(here, silent)
    CallEndpoint(there, serve, ended.set)
    try:
        yield caller, ended
    finally:
        caller.close()


async def test_each_answer_reaches_the_question_it_belongs_to():
    release = asyncio.Event()

    async def serve(verb, body, sockets):
        if verb == "slow":
            await release.wait()
        return verb, body

    with connected(serve) as (caller, _):
        slow = asyncio.create_task(caller.ask("slow", 1, timeout=PATIENCE))
        assert await caller.ask("quick", 2, timeout=PATIENCE) == ("quick", 2)
        assert not slow.done()
        release.set()
        assert await slow == ("slow", 1)


async def test_a_refusal_keeps_its_text():
    async def serve(verb, body, sockets):
        raise CallRefused("no such pool")

    with connected(serve) as (caller, _), pytest.raises(CallRefused, match="no such pool"):
        await caller.ask("members.set", timeout=PATIENCE)


async def test_an_exception_in_the_worker_is_a_failure_with_its_name():
    async def serve(verb, body, sockets):
        raise ZeroDivisionError("oops")

    with connected(serve) as (caller, _), pytest.raises(CallFailed, match="ZeroDivisionError: oops"):
        await caller.ask("samples", timeout=PATIENCE)


async def test_silence_ends_with_the_time_limit():
    fails = pytest.raises(CallFailed, match=r"no answer to 'samples' within 0\.05 s")
    with connected(silent) as (caller, _), fails:
        await caller.ask("samples", timeout=0.05)


async def test_a_worker_that_dies_fails_what_was_asked_and_what_is_asked_later():
    here, there = socket.socketpair()
    caller = CallEndpoint(here, silent)
    asked = asyncio.create_task(caller.ask("samples", timeout=PATIENCE))
    await asyncio.sleep(0)
    there.close()
    with pytest.raises(CallFailed, match="has gone"):
        await asked
    with pytest.raises(CallFailed, match="closed"):
        await caller.ask("samples", timeout=PATIENCE)


async def test_the_worker_hears_that_the_supervisor_hung_up():
    async def serve(verb, body, sockets):
        return None

    with connected(serve) as (caller, ended):
        caller.close()
        await asyncio.wait_for(ended.wait(), 5)


async def test_both_ends_ask_at_the_same_time_and_while_they_are_asked():
    here, there = socket.socketpair()
    ends = []

    async def above(verb, body, sockets):
        return body, "from above"

    async def below(verb, body, sockets):
        return await ends[1].ask("back", body, timeout=PATIENCE)

    ends += [CallEndpoint(here, above), CallEndpoint(there, below)]
    try:
        answers = await asyncio.gather(
            *(ends[0].ask("there", number, timeout=PATIENCE) for number in range(3))
        )
        assert answers == [(number, "from above") for number in range(3)]
    finally:
        ends[0].close()
    await asyncio.sleep(0)
