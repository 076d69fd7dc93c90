"""Jobs of plugins run in processes that are bounded, replaced, and leave no trace."""

import asyncio
import contextlib
import os

import pytest

from adc.plugin import process_pool
from adc.plugin.process_pool import ProcessPool
from adc.plugin.processes import JobFailed, PoolFull, ProcessLimits
from tests.unit.plugin import jobs


@contextlib.asynccontextmanager
async def pool(**limits):
    """A pool whose processes give way to others only if a test says so: a busy machine would not start them."""
    made = ProcessPool(ProcessLimits(**{"nice": 0, **limits}))
    try:
        yield made
    finally:
        await made.close()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_job_runs_in_another_process_without_adc():
    async with pool() as processes:
        assert await processes.run(jobs.pid) != os.getpid()
        assert await processes.run(jobs.double, b"ab" * 500_000) == b"ab" * 1_000_000
        assert await processes.run(jobs.adc_modules) == []


async def test_process_gives_way_and_writes_no_files(tmp_path):
    async with pool(nice=7) as processes:
        assert (await processes.run(jobs.nice_and_group))[0] == os.nice(0) + 7
        with pytest.raises(JobFailed, match="File too large"):
            await processes.run(jobs.write, str(tmp_path / "x"))


async def test_process_is_kept_for_the_next_job():
    async with pool() as processes:
        assert await processes.run(jobs.pid) == await processes.run(jobs.pid)


async def test_no_more_processes_run_than_allowed(tmp_path):
    go = str(tmp_path / "go")
    async with pool(workers=2) as processes:
        waits = [asyncio.create_task(processes.run(jobs.wait_for, go)) for _ in range(5)]
        await asyncio.sleep(0)
        (tmp_path / "go").touch()
        assert await asyncio.gather(*waits) == [True] * 5
        assert len(processes.pids) == 2


async def test_job_beyond_the_queue_is_refused(tmp_path):
    go = str(tmp_path / "go")
    async with pool(waiting=1) as processes:
        waits = [asyncio.create_task(processes.run(jobs.wait_for, go)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(PoolFull):
            await processes.run(jobs.pid)
        (tmp_path / "go").touch()
        assert await asyncio.gather(*waits) == [True, True]
        assert await processes.run(jobs.double, 1) == 2


async def test_cancelled_job_that_waits_leaves_the_queue(tmp_path):
    go = str(tmp_path / "go")
    async with pool(waiting=1) as processes:
        first, second = (asyncio.create_task(processes.run(jobs.wait_for, go)) for _ in range(2))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait([second])
        third = asyncio.create_task(processes.run(jobs.double, 2))
        (tmp_path / "go").touch()
        assert await first
        assert await third == 4


async def test_cancelled_caller_leaves_its_process_to_the_next_job(tmp_path):
    go = str(tmp_path / "go")
    async with pool() as processes:
        first = asyncio.create_task(processes.run(jobs.wait_for, go))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        (tmp_path / "go").touch()
        assert await processes.run(jobs.double, 3) == 6


async def test_exception_of_the_function_is_told_and_the_process_goes_on():
    async with pool() as processes:
        before = await processes.run(jobs.pid)
        with pytest.raises(JobFailed, match="ValueError: no such thing"):
            await processes.run(jobs.fail, "no such thing")
        assert await processes.run(jobs.pid) == before


@pytest.mark.parametrize("job", [jobs.end, jobs.kill_itself, jobs.crash])
async def test_process_that_ends_is_replaced(job):
    async with pool() as processes:
        before = await processes.run(jobs.pid)
        with pytest.raises(JobFailed) as failed:
            await processes.run(job)
        assert failed.value.lost
        assert await processes.run(jobs.pid) != before
        assert not alive(before)


async def test_process_killed_while_idle_is_replaced():
    async with pool() as processes:
        before = await processes.run(jobs.pid)
        os.kill(before, 9)
        os.waitid(os.P_PID, before, os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222 - it ends at once
        assert await processes.run(jobs.pid) != before


async def test_job_over_its_time_is_killed_and_its_process_replaced(tmp_path, monkeypatch):
    async with pool() as processes:
        before = await processes.run(jobs.pid)
        with monkeypatch.context() as limited:
            limited.setattr(processes, "_limits", ProcessLimits(seconds=0.05, nice=0))
            with pytest.raises(JobFailed, match=r"more than 0\.05 s") as failed:
                await processes.run(jobs.wait_for, str(tmp_path / "never"))
        assert failed.value.overdue
        assert not alive(before)
        assert await processes.run(jobs.double, 1) == 2


async def test_import_of_a_module_is_not_part_of_the_time_of_a_job(tmp_path, monkeypatch):
    function = ("slow", str(tmp_path / "slow.py"), "call")
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(3600)\n")
    async with pool() as processes:
        await processes.run(jobs.pid)
        monkeypatch.setattr(process_pool, "START_SECONDS", 0.05)
        with pytest.raises(JobFailed, match=r"not ready in 0\.05 s") as failed:
            await processes._carry_out(function, ())
        assert failed.value.lost


async def test_function_of_a_module_that_cannot_be_imported_fails_with_the_reason(tmp_path):
    (tmp_path / "broken.py").write_text("raise ValueError('no such thing')\n")
    async with pool() as processes:
        before = await processes.run(jobs.pid)
        for _ in range(2):
            with pytest.raises(JobFailed, match="ValueError: no such thing"):
                await processes._carry_out(("broken", str(tmp_path / "broken.py"), "call"), ())
        assert await processes.run(jobs.pid) == before


async def test_process_that_does_not_start_is_given_up(tmp_path, monkeypatch):
    script = tmp_path / "silent.py"
    script.write_text("import sys; sys.stdin.read()")
    monkeypatch.setattr(process_pool, "_SCRIPT", str(script))
    monkeypatch.setattr(process_pool, "START_SECONDS", 0.05)
    async with pool() as processes:
        with pytest.raises(JobFailed, match=r"not ready in 0\.05 s") as failed:
            await processes.run(jobs.pid)
        assert failed.value.lost
        assert processes.pids == []


async def test_job_over_its_memory_fails_and_its_process_is_replaced():
    async with pool(memory=128 << 20) as processes:
        before = await processes.run(jobs.pid)
        with pytest.raises(JobFailed) as failed:
            await processes.run(jobs.take, 256 << 20)
        assert failed.value.memory
        assert await processes.run(jobs.pid) != before


async def test_result_that_is_no_plain_value_is_refused():
    async with pool() as processes:
        with pytest.raises(JobFailed, match="plain values"):
            await processes.run(jobs.an_object)


async def test_function_of_a_module_that_only_its_file_leads_to_is_found(tmp_path):
    import importlib.util
    import sys

    file = tmp_path / "own.py"
    file.write_text("def triple(value):\n    return value * 3\n")
    spec = importlib.util.spec_from_file_location("adc_plugin_paths_9_own", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    try:
        async with pool() as processes:
            assert await processes.run(module.triple, 2) == 6
    finally:
        del sys.modules[spec.name]


async def test_close_ends_processes_and_jobs(tmp_path):
    async with pool(waiting=5) as processes:
        before = await processes.run(jobs.pid)
        waits = [asyncio.create_task(processes.run(jobs.wait_for, str(tmp_path / "never"))) for _ in range(3)]
        await asyncio.sleep(0)
        await processes.close()
        await asyncio.wait(waits)
        assert not alive(before)
        assert all(task.cancelled() or isinstance(task.exception(), JobFailed) for task in waits)
        with pytest.raises(JobFailed, match="closed"):
            await processes.run(jobs.pid)


async def test_processes_end_with_a_parent_that_is_killed(tmp_path):
    """Also in the middle of a job, which does not read the socket."""
    import subprocess
    import sys

    script = (
        "import asyncio, sys\n"
        "from adc.plugin.process_pool import ProcessPool\n"
        "from adc.plugin.processes import ProcessLimits\n"
        "from tests.unit.plugin import jobs\n"
        "async def main():\n"
        "    pool = ProcessPool(ProcessLimits())\n"
        "    print(await pool.run(jobs.pid), flush=True)\n"
        "    await pool.run(jobs.wait_for, sys.argv[1])\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "never")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:  # noqa: ASYNC220
        pid = int(parent.stdout.readline())
        descriptor = os.pidfd_open(pid)
        try:
            parent.kill()
            gone = asyncio.Event()
            asyncio.get_running_loop().add_reader(descriptor, gone.set)
            await asyncio.wait_for(gone.wait(), 10)
            asyncio.get_running_loop().remove_reader(descriptor)
        finally:
            os.close(descriptor)


@pytest.mark.parametrize(
    "limits", [{"workers": 0}, {"waiting": -1}, {"memory": 1000}, {"seconds": 0}, {"nice": 20}]
)
def test_limits_out_of_range_are_refused(limits):
    with pytest.raises(ValueError, match="allowed"):
        ProcessLimits(**limits)
