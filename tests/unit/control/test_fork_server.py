"""What is true before the fork server is forked."""

import subprocess
import sys

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
    assert not {"redis", "cryptography.x509", "aiohttp.client", "aiohttp.web"} & modules


def test_modules_of_a_configuration_are_imported_once_for_all_workers(tmp_path):
    threads, descriptors, modules = preloaded(
        tmp_path,
        'listeners: [{name: web, bind: "127.0.0.1:0", tls: {acme: {domains: [a.example]}}}]\n'
        'state: {backend: redis, url: "redis://127.0.0.1"}\nroutes: [{respond: {body: ok}}]\n',
    )
    assert (threads, descriptors) == (1, 4)
    assert {"adc.net.placeholder", "cryptography.x509", "adc.state.redis"} <= modules
