"""A listener that a reload takes away: its queue is the workers' to empty, so theirs must be the last copies."""

import socket

import pytest
import yaml

from adc.config import load
from adc.control.activation import Inherited
from adc.control.service import Service
from adc.control.serving import ServingSockets


def written(path, *names):
    listeners = [{"name": name, "bind": "127.0.0.1:0"} for name in names]
    answer = {"name": "all", "respond": {"status": 204}}
    mapping = {"workers": 1, "listeners": listeners, "routes": [answer], "admin": {"bind": "127.0.0.1:0"}}
    path.write_text(yaml.safe_dump(mapping))
    return path


class FakeWorker:
    """Notes which sockets the supervisor holds when it is told to commit."""

    worker_id = 0
    pid = 1

    def __init__(self, service):
        self._service = service
        self.held_at_commit = set()

    def listen(self, answers):
        """It asks nothing."""

    async def start(self, config, plan):
        """It is ready at once."""

    async def accept(self):
        """It serves nobody."""

    async def ping(self):
        """It lives."""

    async def prepare(self, config, plan):
        """It refuses nothing."""

    async def commit(self):
        self.held_at_commit = self._service.sockets.open().keys()

    async def wait(self):
        return 0

    async def kill(self):
        """There is no process."""


async def test_the_supervisor_closes_its_copy_before_the_workers_drain_theirs(tmp_path):
    path = written(tmp_path / "adc.yaml", "stays", "goes")

    async def hire(worker_id):
        worker = FakeWorker(service)
        hired.append(worker)
        return worker

    hired = []
    service = Service(path, load, hire)
    await service.start(load(path), Inherited())
    service.fleet._stop_watching()  # a fake one would count as dead
    (gone,) = service.sockets.of("goes").values()
    try:
        written(path, "stays")
        assert (await service.reload()).ok
        assert hired[0].held_at_commit == service.sockets.open().keys()
        assert gone.fileno() == -1
    finally:
        await service.health.close()
        await service.acme.close()
        service.sockets.close()


class FakeServing:
    """Notes which sockets are open when it commits."""

    def __init__(self, *arguments):
        self.watched = []
        self.open_at_commit = []

    async def start(self):
        """It serves."""

    async def prepare(self, config, sockets):
        """It refuses nothing."""

    def commit(self):
        self.open_at_commit = [sock.fileno() != -1 for sock in self.watched]


@pytest.fixture
def sockets():
    sockets = {key: socket.create_server(("127.0.0.1", 0)) for key in ("kept", "old", "new")}
    yield sockets
    for sock in sockets.values():
        sock.close()


async def test_a_worker_closes_the_first_copy_before_it_drains_the_second(sockets):
    serving = ServingSockets(FakeServing, 0)
    kept, old, new = sockets["kept"], sockets["old"], sockets["new"]
    await serving.start(None, {"web": ("kept", "old")}, {"kept": kept, "old": old})
    serving.worker.watched = [kept, old, new]
    await serving.prepare(None, {"web": ("kept", "new")}, {"new": new})
    serving.commit()
    assert serving.worker.open_at_commit == [True, False, True]
    assert serving.keys == {"kept", "new"}
