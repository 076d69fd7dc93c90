"""What work on the table adds to the time that a client waits, seen from a core that the worker does not use."""

import json
import subprocess
import sys
import time

from tests.soak.udp_sessions.actions import ACTIONS, expire, kill
from tests.soak.udp_sessions.clients import Echo, open_sessions
from tests.soak.udp_sessions.service import Service

SECONDS = 5.0


def outside(sessions, *, sockets):
    """Measure with `sessions` sessions in one worker, with or without sockets to members."""
    print(f"{sessions} sessions {'with' if sockets else 'without'} sockets in one worker")
    echo, probe = Echo(), Probe()
    service = Service(sessions, echo.port, probe.port, sockets=sockets, watched=False)
    try:
        probe.connect(service.probe)
        empty = [probe.during(lambda action=action: _repeated(action, service)) for action in ACTIONS]
        service.reload()
        open_sessions(service, sessions)
        print("reply to a client in ms, without sessions / with them:  median       99.9 %      longest")
        for action, base in zip(ACTIONS, empty, strict=True):
            _report(action.__name__, base, probe.during(lambda action=action: _repeated(action, service)))
    finally:
        probe.close()
        service.close()


def _repeated(action, service):
    """Do `action` once if it ends sessions, else for SECONDS."""
    end = time.monotonic() + SECONDS
    action(service)
    while action not in (kill, expire) and time.monotonic() < end:
        action(service)


class Probe:
    """The probing client, a process of its own."""

    def __init__(self):
        command = [sys.executable, "-m", "tests.soak.udp_sessions.probe"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.port = int(self._process.stdout.readline())

    def connect(self, port):
        """Send to this port."""
        self._write(str(port))

    def during(self, work):
        """Return what the client measured while `work` was done."""
        self._write("go")
        work()
        self._write("stop")
        return json.loads(self._process.stdout.readline())

    def _write(self, line):
        self._process.stdin.write(line + "\n")

    def close(self):
        """End the process."""
        self._process.kill()
        self._process.wait()


def _report(name, base, found):
    columns = [f"{base[key]:>6.1f} /{found[key]:>5.1f}" for key in ("median", "p999", "longest")]
    print(f"  {name:<48} {'  '.join(columns)}", flush=True)
