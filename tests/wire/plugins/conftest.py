"""What tests of plugins have in common."""

import pytest

from tests.kit.member import Member, answering, echo
from tests.wire.plugins.plugged import plugin_folder


@pytest.fixture
def folder(tmp_path):
    return plugin_folder(tmp_path)


@pytest.fixture
async def member():
    async with Member(answering(echo)) as member:
        yield member
