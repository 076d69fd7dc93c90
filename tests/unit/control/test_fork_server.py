"""What is true before the fork server is forked."""

import asyncio
import os
import socket
import subprocess
import sys

from adc.control.fork_server import REPLY, REQUEST
from adc.control.processes import ForkServer

PRELOADED = """
import os, sys
from pathlib import Path
import adc.cli.app, adc.control.start
from adc.config import load
from adc.runtime.preload import preload
preload(load(Path(sys.argv[1])).config)
print(len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd")), *sys.modules)
"""


def preloaded(tmp_path, text):
    """Return the numbers of threads and descriptors, and the modules, of a process that may fork for `text`."""
    config = tmp_path / "adc.yaml"
    config.write_text(text)
    command = [sys.executable, "-c", PRELOADED, str(config)]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    threads, descriptors, *modules = output.split()
    return int(threads), int(descriptors), set(modules)


def test_neither_threads_nor_descriptors_exist_at_the_fork(tmp_path):
    text = 'listeners: [{name: web, bind: "127.0.0.1:0"}]\nroutes: [{respond: {body: ok}}]\n'
    threads, descriptors, modules = preloaded(tmp_path, text)
    assert (threads, descriptors) == (1, 4)  # the last one is of the listing itself
    assert not {"redis", "cryptography.x509", "aiohttp.client", "aiohttp.web", "jinja2", "re2"} & modules


def test_modules_of_a_configuration_are_imported_once_for_all_workers(tmp_path):
    threads, descriptors, modules = preloaded(
        tmp_path,
        'listeners: [{name: web, bind: "127.0.0.1:0", tls: {acme: {domains: [a.example]}}}]\n'
        'state: {backend: redis, url: "redis://127.0.0.1"}\nerror_pages: {404: page.html}\n'
        'routes: [{match: {path: {regex: "^/a+$"}}, respond: {body: ok}}]\n',
    )
    assert (threads, descriptors) == (1, 4)
    assert {"adc.net.placeholder", "cryptography.x509", "adc.state.redis", "jinja2", "re2"} <= modules


async def test_a_worker_whose_fork_server_died_before_its_reply_finds_its_channel_closed(monkeypatch):
    """Its successor must not share the channel with it."""
    server = ForkServer()
    (first_ours, dying), (second_ours, living) = pair(), pair()
    monkeypatch.setattr(server, "_channel", first_ours)
    monkeypatch.setattr(server, "_start_anew", lambda: second_ours)
    starting = asyncio.create_task(server.worker(3))
    first = await received(dying)
    dying.close()
    second = await received(living)
    living.send(REPLY.pack(os.getpid(), 0))
    worker = await starting
    worker.sock.send(b"start")
    assert (first.recv(16), second.recv(16)) == (b"", b"start")
    for each in (first, second, worker.sock, living, second_ours):
        each.close()


def pair():
    """Return both ends of a fork server's channel."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


async def received(end):
    """Return the channel of the worker that is asked for."""
    await readable(end)
    _, descriptors, _, _ = socket.recv_fds(end, REQUEST.size, 1)
    return socket.socket(fileno=descriptors[0])


async def readable(end):
    found = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_reader(end, found.set_result, None)
    await found
    asyncio.get_running_loop().remove_reader(end)
