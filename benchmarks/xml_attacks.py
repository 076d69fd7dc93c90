"""Time and memory that `xml_validation` needs to refuse each document of the attack corpus.

`python -m benchmarks.xml_attacks` prints a table; exit code 1 if a document passes, takes 50 ms or more, or 10 MB or
more. Each document is refused in a process of its own, so that memory which an earlier one left behind does not count.
`python -m benchmarks.xml_attacks -` does so for tests: it reads names of documents, and prints the outcome of each.
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import sys
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from adc_plugins.documents.xml.plugin import XmlValidation

from adc.plugin.testkit import Trial, request
from tests.kit.xml_attacks import ATTACKS

ROOT = Path(__file__).parents[1]
CONTRACT = {"schema": "schemas/order.xsd", "max_depth": 64, "max_size": "1MB", "on_invalid": "reject"}
MOST_SECONDS = 0.05
ROUNDS = 3
MOST_BYTES = 10 << 20


class Refusal(NamedTuple):
    """The outcome of one document: the status for the client, and what it took."""

    status: int
    seconds: float
    """The shortest time of three: other processes run beside."""
    grown: int
    """Bytes of resident memory above those before."""


def _resident(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) << 10
    raise OSError(f"/proc/self/status has no {key}")


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


async def _refused(trial: Trial, attack: tuple[str, dict[str, str], bytes]) -> Refusal:
    content_type, fields, content = attack
    headers = {**fields, **({"Content-Type": content_type} if content_type else {})}
    async with trial:
        await trial.exchange(request("POST", headers={"Content-Type": "text/xml"}), body=b"<order/>")
        _forget_peak()
        before = _resident("VmRSS")
        seconds = []
        for _ in range(ROUNDS):
            begun = perf_counter()
            outcome = await trial.exchange(request("POST", headers=headers), body=content)
            seconds.append(perf_counter() - begun)
        return Refusal(outcome.response.status, min(seconds), _resident("VmHWM") - before)


def refusal(trial: Trial, name: str) -> Refusal:
    """Return the outcome of one document."""
    attack = ATTACKS[name]
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(write, pickle.dumps(tuple(asyncio.run(_refused(trial, attack)))))
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as result:
        data = result.read()
    os.waitpid(child, 0)
    return Refusal(*pickle.loads(data))


def validation() -> Trial:
    """Return the plugin that is to refuse the documents."""
    return Trial(XmlValidation, CONTRACT, folder=ROOT / "config")


def answer(trial: Trial) -> int:
    """Print the outcome of each document that a line of standard input names."""
    for line in sys.stdin:
        print(json.dumps(refusal(trial, line.rstrip("\n"))), flush=True)
    return 0


def main() -> int:
    """Print a table."""
    trial = validation()
    if sys.argv[1:] == ["-"]:
        return answer(trial)
    found = {name: refusal(trial, name) for name in ATTACKS}
    for name, each in found.items():
        print(f"{name:36} {each.status}  {each.seconds * 1000:6.1f} ms  {each.grown / (1 << 20):5.1f} MB")
    bad = [
        name
        for name, each in found.items()
        if each.status < 400 or each.seconds >= MOST_SECONDS or each.grown >= MOST_BYTES
    ]
    slowest = max(each.seconds for each in found.values())
    print(f"{len(found)} documents; slowest {slowest * 1000:.1f} ms, ", end="")
    print(f"largest {max(each.grown for each in found.values()) / (1 << 20):.1f} MB; too much: {bad}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
