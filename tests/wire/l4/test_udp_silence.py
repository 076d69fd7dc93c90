"""Sessions without a reply count against a member only while it replies to nobody."""

from tests.kit.datagrams import config, member, relaying
from tests.kit.waiting import eventually

PASSIVE = {"health": {"passive": {"failures": 3, "window": "1m", "eject": "1m", "max_ejected": "100%"}}}
OTHER = {"address": "127.0.0.1:9", "backup": True}
"""A member that is left when the first one is ejected."""

SHORT = {"sessions": {"timeouts": {"udp": "300ms"}}}


def echo(data):
    """Reply to everything but what begins with `?`."""
    return [] if data.startswith(b"?") else [data]


async def test_datagrams_that_no_member_answers_eject_none_that_answers_others(tmp_path):
    async with member(echo) as a:
        mapping = config(a.address, OTHER, udp={"responses": 1}, pool=PASSIVE, **SHORT)
        async with relaying(tmp_path, mapping) as relay:
            for _ in range(10):
                relay.visitor().send(b"?")
            await eventually(lambda: len(a.received) == 10)
            assert await relay.visitor().ask(b"x") == b"x"
            await relay.ended()
            assert not relay.member().ejected
            assert relay.member().failures == 0


async def test_member_that_answers_nobody_is_ejected(tmp_path):
    async with member(lambda data: []) as a:
        mapping = config(a.address, OTHER, udp={"responses": 1}, pool=PASSIVE, **SHORT)
        async with relaying(tmp_path, mapping) as relay:
            for _ in range(3):
                relay.visitor().send(b"x")
            await eventually(lambda: relay.member().ejected)


async def test_member_that_stopped_answering_is_ejected(tmp_path):
    async with member(echo) as a:
        mapping = config(a.address, OTHER, udp={"responses": 1}, pool=PASSIVE, **SHORT)
        async with relaying(tmp_path, mapping) as relay:
            assert await relay.visitor().ask(b"x") == b"x"
            await relay.ended()
            a.answer = lambda data: []
            for _ in range(3):
                relay.visitor().send(b"x")
            await eventually(lambda: relay.member().ejected)
