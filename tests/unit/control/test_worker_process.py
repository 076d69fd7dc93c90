import asyncio
import socket

import pytest

from adc.control.worker_process import WorkerProcess


class BrokenServing:
    started = True

    def close(self):
        """It holds no sockets."""

    async def drain(self, grace, last):
        raise ValueError("broken on the way out")


async def test_a_worker_whose_drain_breaks_ends_all_the_same():
    supervisor, channel = socket.socketpair()
    process = WorkerProcess(BrokenServing(), channel)
    supervisor.close()
    await asyncio.wait_for(process.run(), 1)
    with pytest.raises(ValueError, match="on the way out"):
        await process._drain_task
