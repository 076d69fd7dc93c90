"""What tests of TLS have in common."""

import pytest

from tests.kit.authority import Authority
from tests.kit.member import Member


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
async def member():
    async with Member() as member:
        yield member
