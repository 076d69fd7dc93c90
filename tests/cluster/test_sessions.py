"""Operators list, show and drop sessions of a running service."""

import json

import pytest

from tests.cluster.endurance import configuration
from tests.cluster.origin import origins
from tests.cluster.visitor import Visitor
from tests.wire.service import Service, http


@pytest.fixture
def service(tmp_path):
    service = Service(tmp_path)
    yield service
    service.close()


async def test_sessions_are_listed_shown_and_dropped(service, tmp_path):
    async with origins(3) as members:
        service.write(configuration(members, tmp_path, 2, 0))
        await service.started()
        for user in ("ann", "bob"):
            await Visitor([service.port], "/header/", [f"X-User: {user}"]).ask()
        where = ("--admin", f"127.0.0.1:{service.admin}")
        code, text = await service.run("sessions", "list", "--pool", "header", "--json", *where)
        rows = json.loads(text)
        assert code == 0
        assert [row["client"] for row in rows] == ["ann", "bob"]
        assert {row["member"] for row in rows} <= {member.address for member in members}
        assert all(0 < row["left"] <= 3600 for row in rows)
        code, text = await service.run("sessions", "show", "ann", *where)
        assert code == 0
        assert "bob" not in text
        assert (await service.run("sessions", "drop", *where))[0] == 2
        assert await service.run("sessions", "drop", "ann", *where) == (0, "1 dropped\n")
        assert (await service.run("sessions", "show", "ann", *where))[0] == 1
        status, body = await http(service.admin, "/api/v1/sessions?pool=none")
        assert (status, "keeps no sessions" in json.loads(body)["error"]) == (409, True)
        metrics = await service.metrics()
        assert 'adc_persistence_entries{pool="header"} 1.0' in metrics
        assert 'adc_persistence_created_total{pool="header"} 2.0' in metrics
        assert "state local" in (await service.run("status", *where))[1]
