"""Several redis-servers of our own that belong together: a master with its replica and Sentinel, and a cluster."""

import time
from collections.abc import Callable
from pathlib import Path

from adc.state.redis_client import RedisAddress
from tests.kit.ports import free_port
from tests.wire.redis_server import RedisServer

_AT_ONCE = ("--repl-diskless-sync-delay", "0")
_PATIENCE = 20.0
SLOTS = 16384


class Replicated:
    """A master `m`, its replica and one Sentinel, which needs a third of a second to miss the master."""

    def __init__(self, folder: Path) -> None:
        self.master = RedisServer(_made(folder / "master"), *_AT_ONCE)
        follows = ("--replicaof", "127.0.0.1", str(self.master.port), "--replica-priority", "1")
        self.replica = RedisServer(_made(folder / "replica"), *_AT_ONCE, *follows)
        self.sentinel = _Sentinel(_made(folder / "sentinel"), self.master.port)
        self.address = RedisAddress(sentinels=(("127.0.0.1", self.sentinel.port),), master="m")

    def start(self) -> None:
        """Returns once the Sentinel knows of a replica that is in step with its master."""
        self.master.start()
        self.replica.start()
        _wait(lambda: b"master_link_status:up" in self.replica.command("INFO", "replication"))
        self.sentinel.start()
        self.sentinel.command("SENTINEL", "DEBUG", "info-period", "200", "publish-period", "100")
        _wait(lambda: str(self.replica.port).encode() in self.sentinel.command("SENTINEL", "replicas", "m"))

    @property
    def master_port(self) -> int:
        """Where the Sentinel says that the master is."""
        answer = self.sentinel.command("SENTINEL", "get-master-addr-by-name", "m")
        return int(answer.split(b"\r\n")[4])

    @property
    def demoted(self) -> bool:
        """Whether the first master follows the new one. Told to, it drops all connections."""
        try:
            return b"role:slave" in self.master.command("INFO", "replication")
        except ConnectionError:
            return False

    def kill(self) -> None:
        for server in (self.sentinel, self.replica, self.master):
            server.kill()


class _Sentinel(RedisServer):
    def __init__(self, folder: Path, master: int) -> None:
        super().__init__(folder)
        self._file = folder / "sentinel.conf"  # which it rewrites
        self._file.write_text(
            f"sentinel monitor m 127.0.0.1 {master} 1\n"
            "sentinel down-after-milliseconds m 300\n"
            "sentinel failover-timeout m 2000\n"
        )

    def arguments(self) -> list[str]:
        return [str(self._file), "--sentinel", "--port", str(self.port), "--bind", "127.0.0.1"]


class Cluster:
    """Three masters that share the slots evenly."""

    def __init__(self, folder: Path) -> None:
        self.buses = [free_port() for _ in range(3)]
        self.servers = [
            RedisServer(
                _made(folder / str(bus)),
                *("--cluster-enabled", "yes", "--cluster-port", str(bus), "--cluster-node-timeout", "500"),
            )
            for bus in self.buses
        ]
        self.address = RedisAddress(tuple(server.url[:-2] for server in self.servers), cluster=True)

    def start(self) -> None:
        """Returns once each master sees all three and the cluster as whole."""
        share = SLOTS // 3
        for number, server in enumerate(self.servers):
            server.start()
            last = SLOTS - 1 if number == 2 else (number + 1) * share - 1
            server.command("CLUSTER", "ADDSLOTSRANGE", str(number * share), str(last))
            server.command("CLUSTER", "SET-CONFIG-EPOCH", str(number + 1))
        for server, bus in zip(self.servers[1:], self.buses[1:], strict=True):
            self.servers[0].command("CLUSTER", "MEET", "127.0.0.1", str(server.port), str(bus))
        for server in self.servers:
            _wait(lambda server=server: _is_whole(server))

    def command(self, *words: str) -> list[bytes]:
        """What each master answers."""
        return [server.command(*words) for server in self.servers]

    def give(self, slot: int, to: int) -> None:
        """An empty slot changes its master."""
        name = self.servers[to].command("CLUSTER", "MYID").split(b"\r\n")[1].decode()
        self.command("CLUSTER", "SETSLOT", str(slot), "NODE", name)

    def kill(self) -> None:
        for server in self.servers:
            server.kill()


def _is_whole(server: RedisServer) -> bool:
    told = server.command("CLUSTER", "INFO")
    return b"cluster_state:ok" in told and b"cluster_size:3" in told and b"cluster_known_nodes:3" in told


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the servers did not come together"
        time.sleep(0.02)
