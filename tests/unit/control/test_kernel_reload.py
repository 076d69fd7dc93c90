"""A reload changes workers and the kernel's rules together, and never leaves a moment without either."""

import pytest
import yaml

from adc.config import load
from adc.control.activation import Inherited
from adc.control.calls import CallRefused
from adc.control.service import Service
from tests.unit.control.test_listener_removed import FakeWorker


class Worker(FakeWorker):
    def __init__(self, service, events):
        super().__init__(service)
        self._events = events

    async def commit(self):
        self._events.append("workers commit")

    async def rollback(self):
        self._events.append("workers roll back")


class Kernel:
    """Notes what is asked of it, and refuses if it shall."""

    def __init__(self, events):
        self.events = events
        self.refuses = False

    async def check(self, config):
        """It finds nothing."""

    async def apply(self, config, *, taking_over=False):
        if self.refuses:
            raise CallRefused("kernel rules: nft is gone")
        self.events.append("rules applied")

    async def let_go(self, config):
        self.events.append("rules removed")

    def members_changed(self):
        """There are none."""

    def watch(self):
        self.events.append("rules followed")


def write(path, engine):
    firewall = {"firewall": {"engine": engine, "default": "accept"}} if engine else {}
    listeners = [{"name": "web", "bind": "127.0.0.1:0"}]
    answer = {"name": "all", "respond": {"status": 204}}
    served = {"workers": 1, "admin": False, "listeners": listeners, "routes": [answer], **firewall}
    path.write_text(yaml.safe_dump(served))


@pytest.fixture
async def service(tmp_path):
    path, events = tmp_path / "adc.yaml", []
    write(path, None)

    async def hire(worker_id):
        return Worker(service, events)

    service = Service(path, load, hire)
    service.kernel = Kernel(events)
    await service.start(load(path), Inherited())
    service.fleet._stop_watching()  # a fake one would count as dead
    events.clear()
    yield service
    await service.health.close()
    await service.acme.close()
    service.sockets.close()


async def test_rules_are_applied_before_the_workers_stop_deciding(service):
    write(service.path, "nftables")
    assert (await service.reload()).ok
    assert service.kernel.events == ["rules applied", "workers commit", "rules followed"]


async def test_rules_are_removed_after_the_workers_have_begun_to_decide(service):
    write(service.path, "userspace")
    assert (await service.reload()).ok
    assert service.kernel.events == ["workers commit", "rules removed", "rules followed"]


async def test_workers_keep_their_configuration_if_the_kernel_refuses(service):
    before = service.config
    write(service.path, "nftables")
    service.kernel.refuses = True
    result = await service.reload()
    assert (result.ok, result.messages[0]) == (False, "kernel rules: nft is gone")
    assert service.kernel.events == ["workers roll back"]
    assert service.config is before
    service.kernel.refuses = False
    assert (await service.reload()).ok
