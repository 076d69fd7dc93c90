"""Clients stay on their members over reloads, worker deaths and from worker to worker."""

from tests.cluster.endurance import MODES, endure


async def test_no_request_goes_astray_over_reloads_and_worker_deaths(tmp_path):
    visitors, status = await endure(tmp_path, requests=150, reloads=3, kills=1, workers=2)
    assert status["reloads"] == {"ok": 3}
    assert status["worker_restarts"] == 1
    assert {mode: visitor.misrouted for mode, visitor in visitors.items()} == dict.fromkeys(MODES, 0)
    assert all(set(visitor.statuses) == {200} for visitor in visitors.values())
