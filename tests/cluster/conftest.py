"""No visitor leaves a connection behind."""

import asyncio

import pytest

from tests.cluster.visitor import Visitor


@pytest.fixture(autouse=True)
async def visitors_leave():
    yield
    while Visitor.everyone:
        Visitor.everyone.pop().close()
    await asyncio.sleep(0.01)
