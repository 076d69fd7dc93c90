"""Workers as another user, and who may read what the service writes."""

import os
import pwd
import shutil
import signal
import socket
import stat
import tempfile
from pathlib import Path

import pytest

from adc.cache.environment import Environment
from tests.wire.service import Service, http, until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

CONFIG = """
user: nobody
workers: 2
listeners: [{name: web, bind: "@web"}]
routes: [{match: {path: /cached/}, pool: app, cache: true}, {respond: {status: 200, body: BODY}}]
pools: {app: {members: [127.0.0.1:1], persistence: {source: {timeout: 1m}}}}
caches: {default: {disk: {path: FOLDER/cache, size: 1MB}}}
state: {path: FOLDER/state}
access_log: FOLDER/logs/access.log
error_log: FOLDER/logs/error.log
admin: {bind: "@admin"}
"""


@pytest.fixture
def service():
    """A service in a folder that any user may enter, but only root may write."""
    folder = Path(tempfile.mkdtemp(prefix="adc-user-"))
    folder.chmod(0o755)
    (folder / "logs").mkdir()
    service = Service(folder)
    service.write(CONFIG.replace("BODY", "one").replace("FOLDER", str(folder)))
    yield service
    service.close()
    shutil.rmtree(folder)


def ids(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {line.split(":")[0]: line.split()[1:] for line in lines}


@needs_root
async def test_workers_give_up_every_right_and_reloads_bind_low_ports(service):
    nobody = pwd.getpwnam("nobody")
    await service.started()
    assert await service.get() == (200, b"one")
    status = await service.status()
    for worker in status["workers"]:
        found = ids(worker["pid"])
        assert found["Uid"] == [str(nobody.pw_uid)] * 4
        assert found["Gid"] == [str(nobody.pw_gid)] * 4
        assert found["Groups"] == [str(nobody.pw_gid)]
        assert int(found["CapEff"][0], 16) == int(found["CapPrm"][0], 16) == 0
    assert ids(status["pid"])["Uid"] == ["0"] * 4
    low = next(port for port in range(600, 1000) if not _taken(port))
    service.config.write_text(
        service.config.read_text().replace(
            "listeners: [", f"listeners: [{{name: low, bind: '127.0.0.1:{low}'}}, "
        )
    )
    service.signal(signal.SIGHUP)
    await service.told("RELOADING=1")
    await service.told("READY=1")
    assert (await service.status())["last_reload"] == {
        **(await service.status())["last_reload"],
        "result": "ok",
    }
    assert (await http_ok(low)) == 200
    assert any("adc_worker_open_descriptors" in line for line in await service.metrics())


async def http_ok(port):
    return (await http(port))[0]


def _taken(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@needs_root
async def test_files_of_workers_are_private_to_their_user(service):
    await service.started()
    await service.get()
    nobody = pwd.getpwnam("nobody").pw_uid
    for name, mode in (
        ("cache", 0o700),
        ("cache/index", 0o700),
        ("cache/index/data.mdb", 0o600),
        ("state", 0o700),
        ("state/data.mdb", 0o600),
        ("logs/access.log", 0o640),
        ("logs/error.log", 0o640),
    ):
        found = (service.folder / name).stat()
        assert (name, found.st_uid, stat.S_IMODE(found.st_mode)) == (name, nobody, mode)


@needs_root
async def test_logs_of_a_folder_of_roots_are_reopened_after_a_rotation(service):
    await service.started()
    log = service.folder / "logs" / "access.log"
    log.rename(log.with_suffix(".1"))
    service.signal(signal.SIGUSR1)
    await until(_written(service, log))
    assert log.stat().st_uid == pwd.getpwnam("nobody").pw_uid


def _written(service, log):
    async def written():
        await service.get()
        return log.exists() and log.stat().st_size > 0

    return written


@needs_root
async def test_a_link_in_place_of_a_log_is_not_followed(service):
    secret = service.folder / "secret"
    secret.write_text("root's own")
    secret.chmod(0o600)
    (service.folder / "logs" / "access.log").symlink_to(secret)
    service.start()
    assert await service.ended() == 2
    assert secret.stat().st_uid == 0
    assert "access.log" in service.log.read_text()


@needs_root
async def test_a_worker_that_dies_comes_back_as_the_same_user(service):
    await service.started()
    victim = (await service.status())["workers"][0]["pid"]
    os.kill(victim, signal.SIGKILL)

    async def back():
        workers = (await service.status())["workers"]
        return len(workers) == 2 and victim not in [worker["pid"] for worker in workers]

    await until(back)
    for worker in (await service.status())["workers"]:
        assert ids(worker["pid"])["Uid"][1] == str(pwd.getpwnam("nobody").pw_uid)


@needs_root
async def test_a_user_that_does_not_exist_is_named(service):
    service.config.write_text(service.config.read_text().replace("user: nobody", "user: no-such-user"))
    service.start()
    assert await service.ended() == 2
    assert "there is no user no-such-user" in service.log.read_text()


@needs_root
async def test_root_without_a_user_is_warned(tmp_path):
    service = Service(tmp_path)
    service.write(
        "listeners: [{bind: '@web'}]\nroutes: [{respond: {status: 200}}]\nadmin: false\nworkers: 1\n"
    )
    try:
        await service.started()
        assert "workers_run_as_root" in service.log.read_text()
    finally:
        service.close()


def test_a_cache_folder_that_was_open_is_closed(tmp_path):
    folder = tmp_path / "cache"
    (folder / "index").mkdir(parents=True)
    folder.chmod(0o755)
    Environment(folder, 1 << 20).close()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "index").stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "index" / "lock.mdb").stat().st_mode) == 0o600
