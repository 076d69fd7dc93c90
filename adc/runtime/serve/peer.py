"""One other node of the cluster: what it says of itself, whether it lives, and connections to it that it has proved."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from math import inf
from typing import Any

from adc.codecs.http1.link import HttpLink
from adc.net.batch import Batch
from adc.net.clock import Clock
from adc.net.dial import Dialer
from adc.persistence.marks import NONCE_BYTES, Markers, Record
from adc.pools.member import Member
from adc.runtime.assembly.cluster import CLUSTER, HELLO, PROOF

PROBE_INTERVAL = 0.5
PROBE_LIMIT = 0.5
"""Seconds between two probes of a node, and the timeout of its proof."""

LIFE = 3.0
"""Seconds of silence after which even a request that may be under way at a node is reported failed."""

_SLOWEST_PROBE = 2.0
_IDLE = 10.0
_MAX_REPLY = 4096


class Greeting(asyncio.Protocol):
    """The first exchange on a connection to another node: a hello, and the other node's proof. `done` is the
    transport, or raises OSError."""

    def __init__(
        self, hello: bytes, accept: Callable[[bytes], bool], done: asyncio.Future[asyncio.Transport]
    ):
        self._hello = hello
        self._accept = accept
        self._done = done
        self._seen = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        self._seen += data
        end = self._seen.find(b"\r\n\r\n")
        if self._done.done() or (end < 0 and len(self._seen) <= _MAX_REPLY):
            return
        if end == len(self._seen) - 4 and self._accept(_proof_in(self._seen)):
            self._done.set_result(self._transport)
        else:
            self._fail("it does not prove cluster.secret")

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("it closed the connection without a proof")

    def abort(self) -> None:
        """Close the connection at once."""
        self._transport.abort()

    def _fail(self, reason: str) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionRefusedError(reason))


def _proof_in(head: bytes) -> bytes:
    status, _, rest = head.partition(b"\r\n")
    if not status.startswith(b"HTTP/1.1 204 "):
        return b""
    for line in rest.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == PROOF:
            return value.strip(b" ")
    return b""


class ClusterPeer:
    """The node at `address`, which is unknown (`member` is None) until it has proved its identity or its record was
    found. `alive` is True while its last probe succeeded, or while its records change if nothing probes it."""

    def __init__(self, batch: Batch, clock: Clock, address: str) -> None:
        self.address = address
        self.member: Member | None = None
        self.recorded = -inf
        self._heard_at = -inf
        self.alive = False
        self.reason = "not probed yet"
        self._batch = batch
        self._clock = clock
        host, _, port = address.rpartition(":")
        self._dialer = Dialer(batch.loop, host.strip("[]"), int(port) if port.isdecimal() else 0)
        self._markers: Markers | None = None
        self._own: Callable[[], Record]
        self._proved_at = -inf
        self._failures = 0
        self._probe_at = -inf
        self._probing: asyncio.Task[None] | None = None

    def introduce(self, markers: Markers, own: Callable[[], Record]) -> None:
        """Prove ourselves with `markers` and the record that `own` gives from now on."""
        self._markers, self._own = markers, own

    def learn(self, record: Record) -> None:
        """Adopt the name and address in a record of the node, which is younger than the last, or by a clock that was
        set back."""
        if record.at != self.recorded:
            age = max(0.0, self._clock.wall - record.at) if self.recorded == -inf else 0.0
            self._heard_at = self._clock.now - age
        self.recorded = record.at
        if self.member is None or self.member.name != record.name:
            if self.member is not None:
                self.member.link.retire()
            member = Member(CLUSTER, self.address, name=record.name)
            member.link = HttpLink(self._batch, self._clock, self._connect, _IDLE)
            self.member = member

    def tick(self, now: float) -> None:
        """Probe if it is time to; `now` is monotonic."""
        if self.member is not None:
            self.member.link.reap(now)
        self._dialer.refresh(now)
        if now >= self._probe_at and self._probing is None:
            self._probe_at = now + min(PROBE_INTERVAL * (1 + self._failures), _SLOWEST_PROBE)
            self._probing = self._batch.loop.create_task(self._probe())

    def is_news(self, record: Record) -> bool:
        """True if `record` says more than the last one did."""
        named = self.member is not None and self.member.name == record.name
        return record.at > self.recorded or (named and record.at != self.recorded)

    def judge(self) -> None:
        """Decide by its records alone whether it lives: by when they changed here, since its clock may differ. Only
        the first one, which may be old, is judged by the time in it."""
        if self._clock.now - self._heard_at < LIFE:
            self.alive = True
        else:
            self.silent(f"no new record of it for {LIFE:g} s")

    def silent(self, reason: str) -> None:
        """Note that the node does not respond."""
        self.alive = False
        self.reason = reason

    def silence(self, now: float) -> float:
        """Return seconds since it last proved that it lives; 0 while it does."""
        return 0.0 if self.alive else now - self._proved_at

    def retire(self) -> None:
        """Close what is open."""
        if self.member is not None:
            self.member.link.retire()
        if self._probing is not None:
            self._probing.cancel()

    async def _probe(self) -> None:
        try:
            async with asyncio.timeout(PROBE_LIMIT):
                transport = await self._proved()
            transport.close()
        except TimeoutError:
            self._failed(f"no proof within {PROBE_LIMIT} s")
        except OSError as error:
            self._failed(str(error))
        else:
            self._failures = 0
            self._proved_at = self._clock.now
            self.alive = True
        finally:
            self._probing = None

    def _failed(self, reason: str) -> None:
        self._failures += 1
        self.silent(reason)

    async def _connect(self, factory: Callable[[], asyncio.BaseProtocol]) -> None:
        """Open a connection for traffic. Raises OSError."""
        transport = await self._proved()
        protocol = factory()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)

    async def _proved(self) -> asyncio.Transport:
        """Return a connection on which both sides have proved the secret. Raises OSError."""
        markers = self._markers
        if markers is None:
            raise ConnectionRefusedError("this node is in no cluster")
        nonce = os.urandom(NONCE_BYTES)
        hello = b"GET / HTTP/1.1\r\nHost: %b\r\n%b: %b\r\n\r\n" % (
            self.address.encode(),
            HELLO,
            markers.hello(self._own(), nonce, self.address),
        )
        done: asyncio.Future[asyncio.Transport] = self._batch.loop.create_future()
        greeting = Greeting(hello, lambda value: self._accepts(markers.read_proof(value, nonce)), done)
        await self._dialer(lambda: greeting)
        try:
            return await done
        except BaseException:
            greeting.abort()
            raise

    def _accepts(self, record: Record | None) -> bool:
        if record is None or record.address != self.address:
            return False
        self.learn(record)
        return True
