"""Hedged requests of clients that belong to the other node."""

from tests.cluster.nodes import acquainted, ask, passed
from tests.cluster.origin import Mute
from tests.wire.redis_server import needs_redis

pytestmark = needs_redis


async def test_the_node_that_serves_a_client_hedges_and_the_pin_stays(tmp_path):
    async with acquainted(tmp_path, origin=Mute) as (_, nodes, members):
        by_name = {member.name.encode(): member for member in members}
        for number in range(1, 9):
            _, first = await ask(nodes[0].port, number, "/hedged/")
            by_name[first].silent = True
            status, hedged = await ask(nodes[0].port, number, "/hedged/")
            by_name[first].silent = False
            _, again = await ask(nodes[0].port, number, "/hedged/")
            assert (status, hedged != first, again) == (200, True, first)
        assert await passed(nodes[0]) > 0
