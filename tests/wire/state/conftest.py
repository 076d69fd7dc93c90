"""What tests of tables on Redis have in common."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.redis_server import RedisServer, started


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with started(RedisServer(tmp_path)) as server:
        yield server
