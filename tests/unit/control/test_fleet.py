"""The fleet: replacement of the dead, two phases, counters that outlive a worker."""

import asyncio
from types import SimpleNamespace

import pytest

from adc.control import fleet as fleet_module
from adc.control.calls import CallFailed, CallRefused, PeerGone
from adc.control.fleet import Fleet
from adc.control.sockets import SocketPlan
from adc.telemetry.samples import Sample, merge

PLAN = SocketPlan({}, {})


LOOKS = (fleet_module.PULSE, fleet_module.LOOK)


class Settings(str):
    """A configuration that is told apart by its text."""

    worker_memory = 0
    worker_timeout = 0.0
    shutdown = SimpleNamespace(grace=7.0)


async def _at_once(worker):
    """It prepares what it is given."""


class FakeWorker:
    """A worker that does as the test says and writes down what it was asked."""

    def __init__(self, worker_id, pid):
        self.worker_id = worker_id
        self.pid = pid
        self.told = []
        self.refuses = set()
        self.fails = set()
        self.count = 1
        self.prepares = _at_once
        self.resident = 0
        self.ended = asyncio.Event()

    def _do(self, verb, *what):
        self.told.append((verb, *what))
        if verb in self.refuses:
            raise CallRefused(f"{verb} refused")
        if self.ended.is_set():
            raise PeerGone(f"{verb} failed")
        if verb in self.fails:
            raise CallFailed(f"{verb} failed")

    async def start(self, config, plan):
        self._do("start", config)

    async def accept(self):
        self._do("accept")

    async def ping(self):
        if "ping" in self.fails:
            await self.ended.wait()
        self._do("ping")

    async def prepare(self, config, plan):
        self._do("prepare", config)
        await self.prepares(self)

    async def commit(self):
        self._do("commit")

    async def rollback(self):
        self._do("rollback")

    async def drain(self, grace, last):
        self._do("drain", grace)
        return await self.samples()

    async def samples(self):
        self._do("samples")
        return [
            Sample("adc_connections_total", ("web",), self.count),
            Sample("adc_connections_active", ("web",), self.count),
            Sample("adc_worker_resident_bytes", (str(self.worker_id),), self.resident),
        ]

    async def call(self, operation, request):
        self._do(operation.name, request)
        return self.worker_id

    async def wait(self):
        await self.ended.wait()
        return -9

    async def kill(self):
        self.ended.set()


class Workshop:
    """Makes fake workers; `hired` has them in order."""

    def __init__(self):
        self.hired = []
        self.greeted = []
        self.news = asyncio.Event()
        self.prepare_worker = lambda worker: None

    async def hire(self, worker_id):
        worker = FakeWorker(worker_id, 1000 + len(self.hired))
        self.prepare_worker(worker)
        self.hired.append(worker)
        return worker

    async def greet(self, worker):
        self.greeted.append(worker)
        self.news.set()


@pytest.fixture
async def workshop():
    return Workshop()


@pytest.fixture
async def fleet(workshop):
    fleet = Fleet(workshop.hire, workshop.greet)
    await fleet.start(2, Settings("first"), PLAN)
    workshop.news.clear()
    yield fleet
    await fleet.kill()


async def settled(condition):
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it did not come to that")


async def test_a_dead_worker_is_replaced_by_one_with_the_same_number(fleet, workshop):
    workshop.hired[1].ended.set()
    await asyncio.wait_for(workshop.news.wait(), 5)
    await settled(lambda: fleet.restarts == 1)
    assert [worker.worker_id for worker in workshop.hired] == [0, 1, 1]
    assert workshop.hired[2].told[0] == ("start", "first")
    assert fleet.workers[1] is workshop.hired[2]


async def test_a_worker_that_keeps_dying_is_replaced_more_and_more_slowly(fleet, workshop, monkeypatch):
    delays = []
    sleep = asyncio.sleep

    async def note(seconds):
        delays.append(seconds)
        await sleep(0)

    workshop.prepare_worker = lambda worker: worker.fails.add("start")
    monkeypatch.setattr(fleet_module.asyncio, "sleep", note)
    workshop.hired[0].ended.set()
    for _ in range(2000):
        await sleep(0.001)
        if len([delay for delay in delays if delay not in LOOKS]) >= 9:
            break
    waits = [delay for delay in delays if delay not in LOOKS][:9]
    assert waits[:3] == [0.1, 0.2, 0.4]
    assert waits[8] == fleet_module.LONGEST_DELAY


async def test_start_fails_as_a_whole_and_leaves_no_worker(workshop):
    def second_refuses(worker):
        if worker.worker_id == 1:
            worker.refuses.add("start")

    workshop.prepare_worker = second_refuses
    fleet = Fleet(workshop.hire, workshop.greet)
    with pytest.raises(CallRefused, match="start refused"):
        await fleet.start(3, Settings("first"), PLAN)
    assert fleet.workers == {}
    assert all(worker.ended.is_set() for worker in workshop.hired)


async def test_one_refusal_rolls_all_back(fleet, workshop):
    workshop.hired[1].refuses.add("prepare")
    with pytest.raises(CallRefused, match="prepare refused"):
        await fleet.prepare(Settings("second"), PLAN)
    for worker in workshop.hired:
        assert worker.told[-1] == ("rollback",)
    assert not any(("commit",) in worker.told for worker in workshop.hired)


async def test_a_reload_after_a_refused_one_goes_through(fleet, workshop):
    workshop.hired[1].refuses.add("prepare")
    with pytest.raises(CallRefused):
        await fleet.prepare(Settings("second"), PLAN)
    workshop.hired[1].refuses.clear()
    await asyncio.wait_for(fleet.prepare(Settings("third"), PLAN), 5)
    await fleet.commit()
    assert all(worker.told[-2:] == [("prepare", "third"), ("commit",)] for worker in workshop.hired)


async def test_a_worker_that_cannot_commit_is_replaced_by_one_with_the_new_configuration(fleet, workshop):
    await fleet.prepare(Settings("second"), PLAN)
    workshop.hired[0].fails.add("commit")
    await fleet.commit()
    await settled(lambda: fleet.restarts == 1)
    assert workshop.hired[2].told[0] == ("start", "second")


async def test_a_worker_that_dies_during_a_reload_comes_back_with_what_was_decided(fleet, workshop):
    await fleet.prepare(Settings("second"), PLAN)
    workshop.hired[0].ended.set()
    await asyncio.sleep(0.01)
    assert len(workshop.hired) == 2
    await fleet.commit()
    await settled(lambda: fleet.restarts == 1)
    assert workshop.hired[2].told[0] == ("start", "second")


async def test_counters_of_the_dead_stay_in_the_sum_and_gauges_go(fleet, workshop):
    workshop.hired[0].count = 40
    await fleet.samples()
    workshop.hired[0].ended.set()
    await settled(lambda: fleet.restarts == 1)
    total = merge(await fleet.samples())
    assert Sample("adc_connections_total", ("web",), 42) in total
    assert Sample("adc_connections_active", ("web",), 2) in total


async def test_fewer_workers_are_left_after_a_resize_and_the_surplus_drains(fleet, workshop):
    await fleet.resize(1, 7.0)
    await settled(workshop.hired[1].ended.is_set)
    assert ("drain", 7.0) in workshop.hired[1].told
    await settled(lambda: list(fleet.workers) == [0])
    assert fleet.restarts == 0


async def test_more_workers_start_after_a_resize(fleet, workshop):
    await fleet.resize(3, 7.0)
    assert sorted(fleet.workers) == [0, 1, 2]


async def test_drain_ends_all_and_replaces_none(fleet, workshop):
    await fleet.drain(3.0, last=True)
    assert all(("drain", 3.0) in worker.told and worker.ended.is_set() for worker in workshop.hired)
    assert len(workshop.hired) == 2


async def test_a_worker_that_hangs_is_killed_and_replaced(workshop, monkeypatch):
    monkeypatch.setattr(fleet_module, "LOOK", 0.001)
    config = Settings("first")
    config.worker_timeout = 0.01
    fleet = Fleet(workshop.hire, workshop.greet)
    await fleet.start(2, config, PLAN)
    workshop.hired[0].fails.add("ping")
    await settled(lambda: fleet.restarts == 1)
    assert workshop.hired[0].ended.is_set()
    assert not workshop.hired[1].ended.is_set()
    await fleet.kill()


async def test_a_worker_that_compiles_a_configuration_does_not_hang(workshop, monkeypatch):
    monkeypatch.setattr(fleet_module, "LOOK", 0.001)
    config = Settings("first")
    config.worker_timeout = 0.01
    fleet = Fleet(workshop.hire, workshop.greet)
    await fleet.start(1, config, PLAN)
    (worker,) = workshop.hired
    compiled = asyncio.Event()

    async def compiles(worker):
        await compiled.wait()

    worker.prepares = compiles
    worker.fails.add("ping")
    preparing = asyncio.create_task(fleet.prepare(config, PLAN))
    looks, look = [], fleet._watchdog.look
    monkeypatch.setattr(fleet._watchdog, "look", lambda *seen: looks.append(seen) or look(*seen))
    await settled(lambda: len(looks) > 30)  # of 1 ms each, where 10 ms of silence are too many
    assert not worker.ended.is_set()
    compiled.set()
    await preparing
    await fleet.rollback()
    await fleet.kill()


async def test_nothing_is_accepted_before_all_workers_are_ready(workshop):
    starts = []

    def note(worker):
        begin, accept = worker.start, worker.accept

        async def start(config, plan):
            await asyncio.sleep(0.01 * worker.worker_id)
            await begin(config, plan)
            starts.append("ready")

        async def accepts():
            starts.append("accept")
            await accept()

        worker.start, worker.accept = start, accepts

    workshop.prepare_worker = note
    fleet = Fleet(workshop.hire, workshop.greet)
    await fleet.start(3, Settings("first"), PLAN)
    assert starts == ["ready"] * 3 + ["accept"] * 3
    await fleet.kill()


async def test_a_replacement_accepts_when_it_knows_what_the_others_know(fleet, workshop):
    workshop.hired[0].ended.set()
    await settled(lambda: fleet.restarts == 1)
    assert workshop.greeted[-1] is workshop.hired[2]
    assert [verb for verb, *_ in workshop.hired[2].told][:2] == ["start", "accept"]


class Draining:
    """A worker whose drain ends when the test lets it."""

    def __init__(self, worker):
        self.finish = asyncio.Event()
        drain = worker.drain

        async def waits(grace, last):
            await self.finish.wait()
            return await drain(grace, last)

        worker.drain = waits


async def test_a_reload_does_not_ask_a_worker_that_drains(fleet, workshop):
    staying, removed = workshop.hired
    draining = Draining(removed)
    await fleet.resize(1, 7.0)
    removed.refuses.add("prepare")
    await fleet.prepare(Settings("second"), PLAN)
    await fleet.commit()
    await fleet.resize(1, 7.0)
    assert ("prepare", "second") in staying.told
    assert ("prepare", "second") not in removed.told
    assert list(fleet.workers) == [0]
    draining.finish.set()
    await settled(lambda: not fleet.leaving)
    assert removed.told.count(("drain", 7.0)) == 1


async def test_a_worker_starts_in_the_place_of_one_that_still_drains(fleet, workshop):
    removed = workshop.hired[1]
    draining = Draining(removed)
    await fleet.resize(1, 7.0)
    await fleet.resize(2, 7.0)
    assert fleet.workers == {0: workshop.hired[0], 1: workshop.hired[2]}
    assert removed in fleet.leaving
    draining.finish.set()
    await settled(lambda: not fleet.leaving)
    assert fleet.workers[1] is workshop.hired[2]
    assert fleet.restarts == 0


async def test_a_worker_that_dies_while_it_prepares_does_not_refuse_the_reload(fleet, workshop):
    async def dies(worker):
        worker.ended.set()
        raise PeerGone("the other process has gone")

    workshop.hired[0].prepares = dies
    await fleet.prepare(Settings("second"), PLAN)
    await fleet.commit()
    await settled(lambda: fleet.restarts == 1)
    assert workshop.hired[2].told[0] == ("start", "second")
    assert workshop.hired[1].told[-1] == ("commit",)


async def test_with_all_workers_dead_another_one_refuses_a_configuration(fleet, workshop):
    for worker in workshop.hired:
        worker.ended.set()
    workshop.prepare_worker = lambda worker: worker.refuses.add("start")
    with pytest.raises(CallRefused, match="start refused"):
        await fleet.prepare(Settings("second"), PLAN)


async def test_with_all_workers_dead_another_one_tries_the_configuration(fleet, workshop):
    for worker in workshop.hired:
        worker.ended.set()
    await fleet.prepare(Settings("third"), PLAN)
    await fleet.commit()
    await settled(lambda: fleet.restarts == 2)
    assert all(worker.told[0] == ("start", "third") for worker in fleet.workers.values())


async def test_a_dead_worker_that_a_reload_takes_away_is_not_replaced(fleet, workshop, monkeypatch):
    workshop.prepare_worker = lambda worker: worker.fails.add("start")
    workshop.hired[1].ended.set()
    await settled(lambda: len(workshop.hired) > 2)
    await fleet.resize(1, 7.0)
    tried = len(workshop.hired)
    await settled(lambda: not fleet._gone)
    assert len(workshop.hired) <= tried + 1
    assert fleet.unready() == []


async def test_a_fleet_says_what_it_lacks(fleet, workshop):
    assert fleet.unready() == []
    workshop.prepare_worker = lambda worker: worker.fails.add("start")
    workshop.hired[1].ended.set()
    await settled(fleet.unready)
    assert fleet.unready() == ["1 of 2 workers serve"]


def limited(worker_memory):
    return SimpleNamespace(
        worker_memory=worker_memory, worker_timeout=0.0, shutdown=SimpleNamespace(grace=7.0)
    )


async def test_a_worker_over_its_memory_is_replaced_before_it_drains(workshop, monkeypatch):
    monkeypatch.setattr(fleet_module, "PULSE", 0.001)
    fleet = Fleet(workshop.hire, workshop.greet)
    await fleet.start(2, limited(1000), PLAN)
    large, other = workshop.hired
    large.resident = 1001
    await settled(large.ended.is_set)
    await settled(lambda: len(fleet.last_samples) == 2)
    successor = workshop.hired[2]
    assert fleet.workers == {0: successor, 1: other}
    assert ("drain", 7.0) in large.told
    assert (fleet.restarts, len(workshop.hired)) == (1, 3)
    successor.ended.set()
    await settled(lambda: len(workshop.hired) == 4)
    await fleet.kill()


async def test_a_worker_over_its_memory_stays_if_no_other_starts(workshop, monkeypatch):
    monkeypatch.setattr(fleet_module, "PULSE", 0.001)
    fleet = Fleet(workshop.hire, workshop.greet)
    await fleet.start(1, limited(1000), PLAN)
    workshop.prepare_worker = lambda worker: worker.refuses.add("start")
    (large,) = workshop.hired
    large.resident = 1001
    await settled(lambda: len(workshop.hired) >= 3)
    assert fleet.workers == {0: large}
    assert not large.ended.is_set()
    await fleet.kill()


async def test_without_a_ceiling_no_worker_is_too_large(workshop, monkeypatch):
    monkeypatch.setattr(fleet_module, "PULSE", 0.001)
    fleet = Fleet(workshop.hire, workshop.greet)
    await fleet.start(1, limited(0), PLAN)
    workshop.hired[0].resident = 1 << 40
    await settled(lambda: workshop.hired[0].told.count(("samples",)) > 3)
    assert len(workshop.hired) == 1
    await fleet.kill()
