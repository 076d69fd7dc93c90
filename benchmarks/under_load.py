"""`python -m benchmarks.under_load`: what clients notice of reloads, of a killed member, of a killed worker.

wrk keeps CONNECTIONS busy through `adc run` with two workers. Counted is every request that wrk could not
finish or that was not answered with 2xx. Reloads and a killed member may cost none, a killed worker only what
it had in flight.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.processes import answers, free_port

CONNECTIONS = 64
SECONDS = 20
RELOADS = 50
CONFIG = """
workers: 2
listeners: [{{name: web, bind: 127.0.0.1:{web}}}]
routes:
  - {{match: {{path: /{version}/}}, respond: {{status: 200}}}}
  - {{match: {{path: /bulk}}, pool: bulk}}
  - {{pool: app}}
pools: {{app: {{members: [127.0.0.1:{one}, 127.0.0.1:{two}]}}, bulk: {{members: [127.0.0.1:{bulk}]}}}}
admin: {{bind: 127.0.0.1:{admin}}}
access_log: {{path: {folder}/access.log}}
error_log: {{path: {folder}/error.log}}
"""
_REQUESTS = re.compile(r"(\d+) requests in")
_ERRORS = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")


class Seen(NamedTuple):
    """What one run of wrk says."""

    requests: int
    broken: int
    refused: int

    @property
    def failed(self) -> int:
        return self.broken + self.refused


def parse_seen(output: str) -> Seen:
    """Requests, broken connections and answers other than 2xx from wrk's report. Raises ValueError."""
    requests = _REQUESTS.search(output)
    if requests is None:
        raise ValueError(f"not a report of wrk: {output!r}")
    errors = _ERRORS.search(output)
    refused = _REFUSED.search(output)
    broken = sum(map(int, errors.groups())) if errors else 0
    return Seen(int(requests[1]), broken, int(refused[1]) if refused else 0)


class Site:
    """Two members and `adc run` in front of them; /bulk goes to a member of the caller's at port `bulk`."""

    def __init__(self, folder: Path, stack: ExitStack, bulk: int = 9) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in ("web", "admin", "one", "two")} | {"bulk": bulk}
        self._stack = stack
        self.members = {name: self._member(name) for name in ("one", "two")}
        self.write("v0")
        self._adc = self._process("-m", "adc", "run", str(self.config))
        _until(lambda: answers(self.ports["web"], b"/users"))

    @property
    def config(self) -> Path:
        return self.folder / "adc.yaml"

    def write(self, version: str) -> None:
        """The configuration with a route that tells its `version`."""
        self.config.write_text(CONFIG.format(**self.ports, version=version, folder=self.folder))

    def restart_member(self, name: str) -> None:
        self.members[name] = self._member(name)

    def reload(self) -> None:
        """Reload and wait for the result. Raises RuntimeError if it was refused."""
        result = self._ask("POST", "/api/v1/reload")
        if result["result"] != "ok":
            raise RuntimeError(f"the reload was refused: {result['messages']}")

    def workers(self) -> list[int]:
        """Process ids."""
        return [worker["pid"] for worker in self._ask("GET", "/api/v1/status")["workers"]]

    def _ask(self, method: str, path: str) -> Any:
        url = f"http://127.0.0.1:{self.ports['admin']}{path}"
        request = urllib.request.Request(url, method=method, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def _member(self, name: str) -> subprocess.Popen[bytes]:
        address = f"127.0.0.1:{self.ports[name]}"
        member = self._process("-m", "adc.cli.demo.applications", "--serve", name, address)
        _until(lambda: answers(self.ports[name], b"/users"))
        return member

    def _process(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "output.log").open("ab") as log:
            process = subprocess.Popen([sys.executable, *arguments], stdout=log, stderr=log)
        self._stack.callback(_end, process)
        return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _until(condition: Callable[[], bool], limit: float = 30.0) -> None:
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("it did not come up; see the logs in the folder")
        time.sleep(0.05)


@contextmanager
def load(site: Site, seconds: int) -> Iterator[list[Seen]]:
    """wrk on the site while the block runs, and `seconds` at least; at the end the list holds what it saw."""
    url = f"http://127.0.0.1:{site.ports['web']}/users"
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", url]
    wrk = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    seen: list[Seen] = []
    report: list[str] = []
    reader = threading.Thread(target=lambda: report.append(wrk.communicate()[0]))
    reader.start()
    try:
        time.sleep(1)
        yield seen
        if wrk.poll() is not None:
            raise RuntimeError("the load ended before the changes did; give more --seconds")
    finally:
        reader.join()
    seen.append(parse_seen(report[0]))


def reloads(site: Site) -> None:
    """RELOADS times another configuration."""
    for number in range(RELOADS):
        site.write(f"v{number + 1}")
        site.reload()


def member_killed(site: Site) -> None:
    """One of two members is killed, then started again."""
    site.members["one"].kill()
    site.members["one"].wait()
    time.sleep(3)
    site.restart_member("one")
    time.sleep(1)


def worker_killed(site: Site) -> None:
    """One of two workers is killed; the supervisor replaces it."""
    before = site.workers()
    os.kill(before[0], signal.SIGKILL)
    _until(lambda: len(set(site.workers()) - set(before)) == 1)
    time.sleep(1)


CASES: dict[str, tuple[Callable[[Site], None], int]] = {
    "reloads": (reloads, 0),
    "member killed": (member_killed, 0),
    "worker killed": (worker_killed, CONNECTIONS),
}
"""What happens, and how many requests may fail."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="Length of each case.")
    parser.add_argument("--case", choices=CASES, help="One case only.")
    arguments = parser.parse_args()
    failed = 0
    print(f"{'case':16} {'requests':>10} {'broken':>8} {'not 2xx':>8} {'allowed':>8} {'took':>8}")
    for name, (change, allowed) in CASES.items():
        if arguments.case not in (None, name):
            continue
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            site = Site(folder, stack)
            with load(site, arguments.seconds) as seen:
                began = time.monotonic()
                change(site)
                took = time.monotonic() - began
            (result,) = seen
            log = (folder / "error.log").read_text()
        print(
            f"{name:16} {result.requests:10} {result.broken:8} {result.refused:8} {allowed:8} {took:6.1f} s",
            flush=True,
        )
        if result.failed > allowed:
            failed += 1
            print(log[:3000])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
