"""Requests and answers over a channel."""

import asyncio
import contextlib
import socket

import pytest

from adc.control.calls import Answerer, Caller, CallFailed, CallRefused


@contextlib.contextmanager
def connected(serve):
    here, there = socket.socketpair()
    ended = asyncio.Event()
    caller = Caller(here)
    Answerer(there, serve, ended.set)
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
        slow = asyncio.create_task(caller.ask("slow", 1, timeout=5))
        assert await caller.ask("quick", 2, timeout=5) == ("quick", 2)
        assert not slow.done()
        release.set()
        assert await slow == ("slow", 1)


async def test_a_refusal_keeps_its_text():
    async def serve(verb, body, sockets):
        raise CallRefused("no such pool")

    with connected(serve) as (caller, _), pytest.raises(CallRefused, match="no such pool"):
        await caller.ask("members.set", timeout=5)


async def test_an_exception_in_the_worker_is_a_failure_with_its_name():
    async def serve(verb, body, sockets):
        raise ZeroDivisionError("oops")

    with connected(serve) as (caller, _), pytest.raises(CallFailed, match="ZeroDivisionError: oops"):
        await caller.ask("samples", timeout=5)


async def test_silence_ends_with_the_time_limit():
    async def serve(verb, body, sockets):
        await asyncio.Event().wait()

    silent = pytest.raises(CallFailed, match=r"no answer to 'samples' within 0\.05 s")
    with connected(serve) as (caller, _), silent:
        await caller.ask("samples", timeout=0.05)


async def test_a_worker_that_dies_fails_what_was_asked_and_what_is_asked_later():
    here, there = socket.socketpair()
    caller = Caller(here)
    asked = asyncio.create_task(caller.ask("samples", timeout=5))
    await asyncio.sleep(0)
    there.close()
    with pytest.raises(CallFailed, match="has gone"):
        await asked
    with pytest.raises(CallFailed, match="closed"):
        await caller.ask("samples", timeout=5)


async def test_the_worker_hears_that_the_supervisor_hung_up():
    async def serve(verb, body, sockets):
        return None

    with connected(serve) as (caller, ended):
        caller.close()
        await asyncio.wait_for(ended.wait(), 5)
