"""A short run of `make clients`: real clients through reloads and a killed member."""

import pytest

from tests.clients.__main__ import exercise, judge
from tests.clients.dns import Dns
from tests.clients.redis import Redis
from tests.clients.tls import Tls


async def test_reloads_fail_no_operation_and_a_killed_member_only_what_it_had(tmp_path):
    applications = [kind(tmp_path / kind.name) for kind in (Redis, Dns, Tls)]
    missing = [f"{application.name}: {why}" for application in applications if (why := application.missing())]
    if missing:
        pytest.skip(", ".join(missing))
    tallies = await exercise(tmp_path, applications, seconds=2, times=3)
    assert [line for one in applications for line in judge(one, tallies[one.name])] == []
