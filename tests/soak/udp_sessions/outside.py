"""What work on the table adds to the time that a client waits, seen from a core that the worker does not use."""

import json
import subprocess
import sys
import time

from tests.soak.udp_sessions.actions import ACTIONS, expire, kill
from tests.soak.udp_sessions.clients import Echo, open_sessions
from tests.soak.udp_sessions.service import Service

BASELINE_SECONDS = 15.0
SECONDS = 5.0


def outside(sessions, *, sockets):
    """Measure with `sessions` sessions in one worker, with or without sockets to members."""
    print(f"{sessions} sessions {'with' if sockets else 'without'} sockets in one worker")
    echo, probe = Echo(), Probe()
    service = Service(sessions, echo.port, probe.port, sockets=sockets, watched=False)
    try:
        probe.connect(service.probe)
        print("reply to a client in ms:                     median  99.9 %  longest  datagrams")
        _report("(no sessions)", probe.during(lambda: time.sleep(BASELINE_SECONDS)))
        open_sessions(service, sessions)
        for action in ACTIONS:
            _report(action.__name__, probe.during(lambda action=action: _repeated(action, service)))
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


def _report(name, found):
    print(
        f"  {name:<40} {found['median']:>8.2f} {found['p999']:>7.2f} {found['longest']:>8.1f} {found['count']:>10}",
        flush=True,
    )
