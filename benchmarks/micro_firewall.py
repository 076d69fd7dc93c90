"""Microseconds that the firewall adds to each new connection of a listener, by the number and kind of its rules.

    python -m benchmarks.micro_firewall [RULES ...]

No rule matches, so that all are looked at. Addresses of clients differ. Best of five runs.
"""

from __future__ import annotations

import sys
from time import monotonic, perf_counter, time
from typing import Any

from adc.config import Config
from adc.firewall.filter import Filter
from adc.firewall.packet import packet_of
from adc.runtime.assembly.firewall import filter_of, read_sets

CLIENTS = [(f"192.0.{i >> 8}.{i & 255}", 40_000) for i in range(1000)]
OWN = ("127.0.0.1", 8080)


def rule(kind: str, number: int) -> dict[str, Any]:
    """Return one of many rules of a kind."""
    network = f"10.{number >> 8}.{number & 255}.0/24"
    keys: dict[str, dict[str, Any]] = {
        "port": {"port": 10_000 + number},
        "source": {"source": network},
        "source, of another listener": {"source": network, "listener": "other"},
        "rate": {"over": {"new_connections": "1000000/s"}},
    }
    return {"name": f"r{number}", "action": "drop", **keys[kind]}


def rules(kind: str, count: int) -> Filter:
    """Return a filter with so many rules of a kind."""
    listeners = [{"name": "web", "bind": "127.0.0.1:8080"}, {"name": "other", "bind": "127.0.0.1:8081"}]
    firewall = {"rules": [rule(kind, number) for number in range(count)]}
    config = Config.model_validate({"listeners": listeners, "firewall": firewall})
    if config.firewall is None:
        raise ValueError("no firewall")
    return filter_of(config.firewall, read_sets(config.firewall))


def microseconds(found: Filter) -> float:
    """Return the time of one decision, from the addresses that a socket gives."""
    best = float("inf")
    for _ in range(5):
        begun = perf_counter()
        for client in CLIENTS:
            packet = packet_of("tcp", client, OWN, "web")
            if packet is not None:
                found.decide(packet, monotonic(), time())
        best = min(best, perf_counter() - begun)
    return best / len(CLIENTS) * 1e6


def main() -> None:
    """Print a line for each kind, with a column for each number of rules."""
    counts = [int(each) for each in sys.argv[1:]] or [1, 10, 100]
    print(f"{'rules':28}" + "".join(f"{count:>10}" for count in counts))
    for kind in ("port", "source", "source, of another listener", "rate"):
        print(f"{kind:28}" + "".join(f"{microseconds(rules(kind, count)):10.1f}" for count in counts))


if __name__ == "__main__":
    main()
