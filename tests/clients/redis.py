"""Redis with its Python client: connections that stay, and a connection for each pair of commands."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.clients.application import Application, Member, Tally, program

CLIENTS = 3
TIMEOUT = 2.0
NONE = Retry(NoBackoff(), 0)


class Redis(Application):
    """Two servers; what a connection has written it reads back."""

    name = "redis"
    programs = ("redis-server",)
    in_flight = 2 * CLIENTS

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.members = [Member(folder / name, _command) for name in ("one", "two")]

    def ready(self, port: int) -> None:
        try:
            with redis.Redis("127.0.0.1", port, socket_timeout=TIMEOUT) as client:
                client.ping()
        except redis.RedisError as error:
            raise ConnectionError(error) from error

    def loads(self, tally: Tally) -> list[Callable[[], None]]:
        lasting = [lambda number=number: self._stay(tally, number) for number in range(CLIENTS)]
        return [*lasting, lambda: tally.repeat(self._visit, 0.01)]

    def _stay(self, tally: Tally, number: int) -> None:
        with redis.Redis(
            "127.0.0.1", self.port, socket_timeout=TIMEOUT, single_connection_client=True
        ) as client:
            counter = itertools.count()
            tally.repeat(lambda: _write_and_read(client, f"{number}", f"{next(counter)}"))

    def _visit(self) -> None:
        with redis.Redis(
            "127.0.0.1", self.port, socket_timeout=TIMEOUT, single_connection_client=True
        ) as client:
            _write_and_read(client, "visitor", "value")


def _write_and_read(client: redis.Redis, key: str, value: str) -> None:
    client.set(key, value)
    read = client.get(key)
    if read != value.encode():
        raise AssertionError(f"read {read!r} instead of {value!r}")


def _command(folder: Path, port: int) -> list[str]:
    fixed = ["--port", f"{port}", "--bind", "127.0.0.1", "--save", "", "--dir", f"{folder}"]
    return [f"{program('redis-server')}", *fixed]
