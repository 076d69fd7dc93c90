"""`adc run` with one worker, its listeners, and what an operator asks of it."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

from tests.kit.ports import free_port

PER_SOURCE = 25_000
"""Sessions that use one source address, or come from one client address."""

PATIENCE = 60.0
RESERVE = 2.8
"""Descriptors for each session: a worker that accepts connections too leaves five eighths to them."""

IDLE = "10m"

FIRST_CORE = {0}
LAST_CORE = {(os.cpu_count() or 1) - 1}
"""The worker has the last core; everything else that the script starts has the first."""


def prefer(process):
    """Have the kernel run a process before other programs of the machine, which do not count then; 0: this one.

    No-op without the right to.
    """
    with contextlib.suppress(OSError):
        os.sched_setscheduler(process, os.SCHED_FIFO, os.sched_param(10))


def allowed(sessions):
    """Raise the limit of descriptors for `sessions` in one worker; return how many sessions it allows."""
    wanted = int(sessions * RESERVE)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted:
        with contextlib.suppress(ValueError, OSError):  # not permitted
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(sessions, int(hard / RESERVE))


class Service:
    """A running service in a folder of its own. `member` and `probe_member` are ports of members; `sockets`:
    sessions of the listener `many` have sockets to their members; `watched`: the worker's loop is watched."""

    def __init__(self, sessions, member, probe_member, *, sockets, watched):
        self._folder = tempfile.TemporaryDirectory()
        self.port, self.probe, self.admin, self.web = (free_port() for _ in range(4))
        self._sources = [f"127.0.2.{number}" for number in range(1, 2 + sessions // PER_SOURCE)]
        self._members = {"many": member, "probe": probe_member}
        self._watched = watched
        self._options = {"sockets": sockets, "watch": watched}
        self._file = Path(self._folder.name) / "adc.yaml"
        self.write()
        command = [sys.executable, "-m", "adc", "run", str(self._file)]
        source = {} if sockets else {"ADC_COMPILED": "0"}  # the plugin replaces functions of it
        self._process = subprocess.Popen(command, env=os.environ | source)
        self._wait()
        self.worker = self.status()["workers"][0]["pid"]
        os.sched_setaffinity(self.worker, LAST_CORE)
        if not watched:
            prefer(self.worker)

    def write(self, idle=IDLE, per_source=0):
        """Write the configuration."""
        limits = {"connections": 1_000_000, "connections_per_source": per_source}
        udp = {"source_addresses": self._sources}
        listeners = [
            {"name": "many", "bind": f"127.0.0.1:{self.port}", "limits": limits, "udp": udp},
            {"name": "probe", "bind": f"127.0.0.1:{self.probe}"},
        ]
        mapping = {
            "workers": 1,
            "admin": {"bind": f"127.0.0.1:{self.admin}"},
            "access_log": "off",
            "error_log": {"path": f"{self._folder.name}/error.log"},
            "sessions": {
                "size": 1_000_000,
                "timeouts": {"udp": idle, "udp_stream": idle},
                "log": {"path": f"{self._folder.name}/sessions.log"},
            },
            "listeners": [
                {"protocol": "udp", "pool": listener["name"], **listener} for listener in listeners
            ],
            "pools": {
                name: {"members": [f"127.0.0.1:{port}"], "health": {"passive": False}}
                for name, port in self._members.items()
            },
        }
        if self._watched or not self._options["sockets"]:
            mapping["plugin_paths"] = [str(Path(__file__).parent / "plugins")]
            mapping["listeners"].append({"name": "web", "bind": f"127.0.0.1:{self.web}"})
            mapping["routes"] = [{"plugins": [{"loop_watch": self._options}], "respond": {"body": ""}}]
        self._file.write_text(yaml.safe_dump(mapping))

    def reload(self, **options):
        """Write the configuration anew and return when it serves."""
        before = self.status()["last_reload"]
        self.write(**options)
        self._process.send_signal(signal.SIGHUP)
        self.until(lambda: self.status()["last_reload"] != before)

    def until(self, condition, pause=0.05):
        """Wait until `condition()` is true; look every `pause` seconds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise SystemExit(f"not in {PATIENCE:g} s; the log:\n{self.log()}")
            time.sleep(pause)

    def log(self):
        """Return the error log."""
        return (Path(self._folder.name) / "error.log").read_text()

    def longest(self):
        """Return the longest times of the worker's loop since the last call, in milliseconds."""
        return json.loads(_asked(self.web, "/"))

    def forget(self):
        """Forget the longest times until now, if the loop is watched."""
        if self._watched:
            self.longest()

    def status(self):
        """Return the status of the node."""
        return json.loads(self.ask("/api/v1/status"))

    def ask(self, path, method="GET", **query):
        """Return the body of the admin server's response."""
        text = f"?{urllib.parse.urlencode(query)}" if query else ""
        return _asked(self.admin, path + text, method)

    def pages(self, most=1 << 60, **query):
        """List flows page by page; return their number, and stop after `most`."""
        count, cursor = 0, ""
        while cursor is not None and count < most:
            page = json.loads(self.ask("/api/v1/flows", cursor=cursor, **query))
            count, cursor = count + len(page["rows"]), page["cursor"]
        return count

    def sessions(self):
        """Return the number of open sessions."""
        start = 'adc_connections_active{listener="many"} '
        return sum(
            int(float(line[len(start) :]))
            for line in self.ask("/metrics").splitlines()
            if line.startswith(start)
        )

    def resident(self):
        """Return the memory of the worker in bytes."""
        return int(Path(f"/proc/{self.worker}/statm").read_text().split()[1]) * resource.getpagesize()

    def close(self):
        """End the service."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def _wait(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            with contextlib.suppress(OSError):
                self.status()
                return
            time.sleep(0.05)
        self.close()
        raise SystemExit("adc did not start")


def _asked(port, path, method="GET"):
    fields = {"Content-Type": "application/json"} if method != "GET" else {}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=fields, method=method)
    with urllib.request.urlopen(asked, timeout=PATIENCE) as response:
        return response.read().decode()
