"""Listeners that share UDP sessions, as the channel between nodes knows them."""

import asyncio
from types import SimpleNamespace

import pytest

from adc.runtime.serve.datagrams import Datagrams
from adc.sessions.session import Timeouts


@pytest.fixture
async def datagrams():
    found = Datagrams(asyncio.get_running_loop(), 0, SimpleNamespace(is_dead=lambda name: False))
    found._table = object()
    return found


def relay():
    return SimpleNamespace(name="dns", timeouts=Timeouts(30.0, 120.0, 30.0))


async def test_removed_listener_is_forgotten_and_its_successor_stays(datagrams):
    former = datagrams.share(relay(), None)
    assert datagrams.hub.receivers == {"dns": former}
    successor = datagrams.share(relay(), None)
    datagrams.leave("dns", former)
    assert datagrams.hub.receivers == {"dns": successor}
    datagrams.leave("dns", successor)
    assert datagrams.hub.receivers == {}
