"""Workers run on uvloop, and so do these tests. A test that needs other settings defines its own fixture."""

import pytest
import uvloop

from tests.kit.member import Member, answering, echo
from tests.kit.proxy import config, serving
from tests.wire.service import Service


def pytest_asyncio_loop_factories(config, item):
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def member():
    """A member that sends each request back."""
    async with Member(answering(echo)) as member:
        yield member


@pytest.fixture
async def proxy(tmp_path, member):
    """A worker in this process that forwards everything to `member`."""
    async with serving(tmp_path, config(member.address)) as proxy:
        yield proxy


@pytest.fixture
async def client(proxy):
    """A connection to `proxy`."""
    async with proxy.client() as client:
        yield client


@pytest.fixture
def service(tmp_path):
    """A supervisor and its processes, not started yet."""
    service = Service(tmp_path)
    yield service
    service.close()
