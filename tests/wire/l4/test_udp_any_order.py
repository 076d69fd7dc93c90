"""Clients, members, operators and reloads of a UDP listener act in any order: all counters agree after every step."""

import asyncio
import random

import pytest

from adc.runtime.operations import flows
from adc.runtime.operations.flows import UnwantedFlows
from tests.kit.datagrams import config, member, relaying
from tests.kit.waiting import eventually

STEPS = 60
MEMBERS = 3
KILLS = ({"all": True}, {"state": "new"}, {"client": "127.0.1.0/24"})
OPTIONS = ({}, {"responses": 1}, {"responses": 2, "requests": 3}, {"requests": 2}, {"responses": 0})


def agree(relay):
    """Assert that whoever counts sessions has the same number."""
    listener, sessions = relay.listener, relay.worker.sessions
    table, counts = sessions.table, listener._relay
    present = table.scan(0, 10_000)
    connected = sum(session.fd >= 0 for session in present)
    assert len(present) == len(table) == counts.sessions
    assert len(present) == sum(len(client_socket.all_sessions()) for client_socket in listener._all)
    assert table.opened == len(present) + sum(sessions.ended.counts.values())
    assert counts.descriptors.used == connected == relay.worker.runtime.pools["app"].active
    assert counts._kept == sum(len(session.kept or b"") for session in present)


class Chaos:
    """Does something else at each step."""

    def __init__(self, relay, members, visitors, chance):
        self.relay, self.members, self.visitors, self.chance = relay, members, visitors, chance
        self.addresses = [each.address for each in members]

    async def step(self):
        act = self.chance.choice(
            (self.send, self.send, self.send, self.lose, self.kill, self.reload, self.health)
        )
        await act()

    async def send(self):
        for _ in range(self.chance.randint(1, 12)):
            self.chance.choice(self.visitors).send(bytes(self.chance.choice((0, 1, 100, 3000))))

    async def lose(self):
        """Close a member: the kernel refuses its datagrams."""
        self.chance.choice(self.members).close()

    async def kill(self):
        await self.relay.worker.call(flows.KILL, UnwantedFlows(**self.chance.choice(KILLS)))

    async def reload(self):
        kept = self.chance.sample(self.addresses, self.chance.randint(1, MEMBERS))
        size = self.chance.choice((5, 20))

        def edit(mapping):
            mapping["pools"]["app"]["members"] = kept
            mapping["sessions"]["size"] = size

        await self.relay.change(edit)
        self.relay.listener._relay.descriptors.most = self.chance.choice((3, 15))

    async def health(self):
        members = self.relay.worker.runtime.pools["app"].members
        self.relay.report_health(self.chance.choice(members).address, self.chance.random() < 0.6)


@pytest.mark.parametrize("seed", range(len(OPTIONS)))
async def test_counters_agree_whatever_happens(tmp_path, seed):
    chance = random.Random(seed)
    timeouts = {"udp": "300ms", "udp_stream": "300ms"}

    def answer(data):
        return [data] * chance.choice((0, 1, 1, 2))

    async with member(answer) as a, member(answer) as b, member(answer) as c:
        members = [a, b, c]
        mapping = config(
            *(each.address for each in members),
            udp=OPTIONS[seed],
            listener={"limits": {"connections_per_source": 25}},
            sessions={"size": 20, "timeouts": timeouts},
        )
        async with relaying(tmp_path, mapping) as relay:
            visitors = [relay.visitor(own=f"127.0.{1 + number % 3}.1") for number in range(40)]
            chaos = Chaos(relay, members, visitors, chance)
            for _ in range(STEPS):
                await chaos.step()
                await asyncio.sleep(chance.choice((0, 0.001, 0.005)))
                agree(relay)
            await eventually(lambda: not relay.sessions)
            agree(relay)
