"""A plugin that measures how long a worker's loop is busy without a pause, and what the garbage collector takes of it.

It keeps the loop turning, so that each iteration has the callbacks that are due and no waiting. A request gets the
longest times since the last one, in milliseconds, as JSON. They are in a module of their own, which reloads keep.

`commit` is the time in which the worker follows a new configuration. What prepares that configuration, plugins among
it, has nothing to do with sessions.
"""

import asyncio
import gc
import itertools
import json
import os
import sys
import time
import types

from adc.l4.udp import member_sockets, relay
from adc.l4.udp.session import UdpSession
from adc.net.reactor import Reactor
from adc.plugin import Host, Options, Plugin, Response
from adc.runtime.serve import descriptors
from adc.runtime.worker import Worker
from adc.sessions.session import NEW

KEPT = "adc_soak_loop_watch"
NO_SOCKET = 1 << 24
"""Descriptors from here on stand for sockets that do not exist."""


class LoopWatchOptions(Options):
    sockets: bool = True
    """Sessions of the listener `many` have sockets to their members. Without, they need no descriptors."""

    watch: bool = True
    """Keep the loop turning, and measure its iterations."""


class LoopWatch(Plugin[LoopWatchOptions]):
    """Answers with the longest iteration of the loop since the last request."""

    async def start(self, host: Host) -> None:
        self._longest = longest(self.options.sockets)
        if self.options.watch:
            host.spawn(self._watch(host))

    async def _watch(self, host: Host) -> None:
        longest = self._longest
        cpu, wall = time.thread_time(), time.monotonic()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time(), time.monotonic()
            longest["cpu"] = max(longest["cpu"], now[0] - cpu)
            longest["wall"] = max(longest["wall"], now[1] - wall)
            cpu, wall = now

    async def request_head(self, context):
        found = {name: seconds * 1e3 for name, seconds in self._longest.items()}
        self._longest.update(dict.fromkeys(self._longest, 0.0))
        return Response(200, {"Content-Type": "application/json"}, json.dumps(found).encode())


def longest(sockets):
    """Return the longest times of this process in seconds: processor and real time of an iteration, and the
    collector's."""
    kept = sys.modules.get(KEPT)
    if kept is None:
        kept = sys.modules[KEPT] = types.ModuleType(KEPT)
        kept.times = {"cpu": 0.0, "wall": 0.0, "gc": 0.0, "commit": 0.0}
        _watch_collector(kept.times)
        _watch_commit(kept.times)
        if not sockets:
            _do_without_sockets()
    return kept.times


def _watch_collector(times):
    began = 0.0

    def collected(phase, info):
        nonlocal began
        if phase == "start":
            began = time.thread_time()
        else:
            times["gc"] = max(times["gc"], time.thread_time() - began)

    gc.callbacks.append(collected)


def _watch_commit(times):
    commit = Worker.commit

    def watched(worker):
        began = time.thread_time()
        commit(worker)
        times["commit"] = max(times["commit"], time.thread_time() - began)

    Worker.commit = watched


def _do_without_sockets():
    """Open sessions of `many` without sockets: whatever the client sends, a member seems to have replied.

    It replaces functions of modules, which is possible only while their source runs (`ADC_COMPILED=0`).
    """
    numbers = itertools.count(NO_SOCKET)
    add, closing = Reactor.add, Reactor.closing
    connect, pass_on = member_sockets.MemberSockets.connect, UdpSession.forward

    def forward(session, data, now):
        if session.fd < NO_SOCKET:
            pass_on(session, data, now)
            return
        session.last = now
        session.packets_in += 1
        session.bytes_in += len(data)
        if session.state == NEW:
            session.relay.established(session, now, False)

    descriptors._limit = lambda: 1 << 31
    member_sockets.MemberSockets.connect = lambda sockets, member: (
        next(numbers) if member.pool == "many" else connect(sockets, member)
    )
    Reactor.add = lambda self, fd, *rest: None if fd >= NO_SOCKET else add(self, fd, *rest)
    Reactor.closing = lambda self, fd: None if fd >= NO_SOCKET else closing(self, fd)
    UdpSession.forward = forward
    relay._close = lambda fd: None if fd >= NO_SOCKET else os.close(fd)
