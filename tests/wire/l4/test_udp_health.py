"""Health checks by datagrams: replies, wrong replies, silence, closed ports."""

import pytest

from adc.config.model.address import Address
from adc.config.model.health import ActiveHealth
from adc.control.checks import build_check
from tests.kit.datagrams import member
from tests.kit.ports import free_port


async def result(port, **probe):
    health = ActiveHealth.model_validate({"timeout": "200ms", "udp": probe or True})
    return await build_check(Address(f"127.0.0.1:{port}", "127.0.0.1", port), health, None)()


@pytest.mark.parametrize("expect", ["pong", True, {"hex": "706f"}])
async def test_a_member_passes_with_the_reply_that_is_expected(expect):
    async with member(lambda data: [b"pong"] if data == b"\x01ping" else []) as a:
        assert await result(a.port, send={"hex": "01 70696e67"}, expect=expect) is None


async def test_another_reply_fails():
    async with member() as a:
        assert (
            await result(a.port, send="ping", expect="pong") == "the reply does not contain what is expected"
        )


async def test_silence_fails_where_a_reply_is_expected():
    async with member(lambda data: []) as a:
        assert await result(a.port, send="ping", expect=True) == "no answer within 0.2 s"


async def test_silence_passes_where_none_is_expected():
    async with member(lambda data: []) as a:
        assert await result(a.port, send="a log line") is None
        assert a.received == [b"a log line"]


@pytest.mark.parametrize("probe", [{}, {"send": "x", "expect": True}])
async def test_a_closed_port_fails(probe):
    assert await result(free_port(), **probe) == "Connection refused"
