"""No visitor leaves a connection behind, and tests that leave two nodes as they were share them."""

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio

from tests.cluster.nodes import acquainted
from tests.cluster.origin import Recorder
from tests.cluster.visitor import Visitor


def pytest_collection_modifyitems(items):
    """Run in one event loop, that of the shared nodes' members."""
    here = str(Path(__file__).parent)
    for item in items:  # of all folders
        if str(item.path).startswith(here) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def visitors_leave():
    yield
    while Visitor.everyone:
        Visitor.everyone.pop().close()
    await asyncio.sleep(0.01)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def nodes_and_members(tmp_path_factory):
    """Two nodes that pass requests to each other, and their members, which are recorders."""
    async with acquainted(tmp_path_factory.mktemp("cluster"), origin=Recorder) as (_, nodes, members):
        yield nodes, members


@pytest.fixture
def shared(nodes_and_members):
    """The shared nodes and their members, which have recorded nothing yet. Each test has other clients."""
    yield nodes_and_members
    _, members = nodes_and_members
    for member in members:
        member.forget()
