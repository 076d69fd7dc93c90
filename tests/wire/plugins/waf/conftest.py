"""What tests of the firewall have in common."""

import pytest

from tests.kit.member import Member, answering, echo


@pytest.fixture
async def member():
    async with Member(answering(echo)) as member:
        yield member
