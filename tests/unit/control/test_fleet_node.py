"""Operations in one worker of the fleet, or in all of them."""

from types import SimpleNamespace

import pytest

from adc.control.calls import CallFailed, CallRefused
from adc.control.fleet_node import FleetNode
from adc.control.kernel_flows import KERNEL
from adc.runtime.operations import health
from adc.runtime.operations.cache import PURGE_STORES, Target
from adc.runtime.operations.connections import COUNT
from adc.runtime.operations.operation import NOTHING, Refused, Unavailable

REPORT = health.Report("app", "one", False)


class FakeWorker:
    """Replies with its number, or raises `error`; `asked` holds the requests."""

    def __init__(self, worker_id):
        self.worker_id = worker_id
        self.error = None
        self.asked = []
        self.before_reply = lambda: None

    async def call(self, operation, request):
        self.asked.append((operation.name, request))
        self.before_reply()
        if self.error is not None:
            raise self.error
        return self.worker_id


async def no_kernel(operation, request):
    """Reply for a kernel that forwards nothing."""


@pytest.fixture
def fleet():
    return SimpleNamespace(workers={number: FakeWorker(number) for number in range(2)}, leaving=set())


@pytest.fixture
def node(fleet):
    return FleetNode(fleet, lambda *decision: None, lambda: True, no_kernel)


async def test_one_is_the_first_worker_that_replies(fleet, node):
    assert await node.one(COUNT, NOTHING) == 0
    fleet.workers[0].error = CallFailed("gone")
    assert await node.one(COUNT, NOTHING) == 1


async def test_one_is_unavailable_if_no_worker_replies(fleet, node):
    for worker in fleet.workers.values():
        worker.error = CallFailed(f"worker {worker.worker_id} is silent")
    with pytest.raises(Unavailable, match="worker 1 is silent"):
        await node.one(COUNT, NOTHING)


async def test_all_replies_are_had_as_long_as_one_worker_replies(fleet, node):
    fleet.workers[0].error = CallFailed("gone")
    assert await node.all(COUNT, NOTHING) == {1: 1}
    fleet.workers[1].error = CallFailed("gone")
    with pytest.raises(Unavailable, match="no worker answered 'connections'"):
        await node.all(COUNT, NOTHING)


@pytest.mark.parametrize("ask", ["one", "all"])
async def test_refusal_of_a_worker_is_refused(fleet, node, ask):
    fleet.workers[0].error = CallRefused("there is no pool app")
    with pytest.raises(Refused, match="there is no pool app"):
        await getattr(node, ask)(health.REPORT, REPORT)


async def test_worker_that_drains_carries_out_what_all_do_and_its_reply_is_ignored(fleet, node):
    draining = FakeWorker(1)
    draining.error = CallRefused("no")
    fleet.leaving.add(draining)
    del fleet.workers[1]
    assert await node.all(health.REPORT, REPORT) == {0: 0}
    assert draining.asked == [("health.report", REPORT)]


async def test_operation_that_must_reach_all_fails_if_a_worker_serves_on_without_a_reply(fleet, node):
    fleet.workers[1].error = CallFailed("silent")
    with pytest.raises(Unavailable, match=r"worker 1 did not answer 'cache\.purge_stores'"):
        await node.all(PURGE_STORES, Target("all"))


async def test_operation_that_must_reach_all_ignores_a_worker_that_died_meanwhile(fleet, node):
    dying = fleet.workers[1]
    dying.error = CallFailed("gone")
    dying.before_reply = lambda: fleet.workers.pop(1)
    assert await node.all(PURGE_STORES, Target("all")) == {0: 0}


async def test_flows_of_the_kernel_count_as_those_of_one_more_worker(fleet):
    async def kernel(operation, request):
        return 7

    node = FleetNode(fleet, lambda *decision: None, lambda: True, kernel)
    assert await node.all(COUNT, NOTHING) == {0: 0, 1: 1, KERNEL: 7}
