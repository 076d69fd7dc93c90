"""Large bodies pass a real `adc run`, and its worker does not grow."""

import asyncio

import pytest

from benchmarks.bulk import MIB, BulkMember, Memory, download, upload

SIZE = 200 * MIB
CONFIG = """
workers: 1
listeners: [{name: web, bind: "@web"}]
routes: [{pool: app}]
pools: {app: {members: ["@member"]}}
admin: {bind: "@admin"}
access_log: {path: "off"}
"""


@pytest.mark.parametrize("transfer", [upload, download])
async def test_memory_of_the_worker_stays_flat(service, transfer):
    member = BulkMember(SIZE)
    service.write(CONFIG, member=member.port)
    await service.started()
    (worker,) = (await service.status())["workers"]
    with Memory([worker["pid"]]) as memory:
        assert await asyncio.to_thread(transfer, service.port, SIZE) == SIZE
    assert memory.highest - memory.before < 10 * MIB
