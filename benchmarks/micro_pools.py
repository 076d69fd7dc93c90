"""Microseconds per pick for each balancer, and for the counting around an attempt.

    python -m benchmarks.micro_pools [MEMBERS]

Lines: all members alike, weights 1 to 5 in turn, and one member excluded as in a retry. Best of five runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random
from time import perf_counter

from adc.http.headers import Headers
from adc.http.message import Request
from adc.pools.balancers.registry import BALANCERS, make_balancer
from adc.pools.member import Member
from adc.pools.outlier import Outlier
from adc.pools.pool import Pool

ROUNDS = 20_000
REQUESTS = [
    Request("GET", "/", "/", "", "a", "a", Headers(), source=f"198.51.{i >> 8}.{i & 255}")
    for i in range(1000)
]


def make_pool(balancer: str, weights: list[int], outlier: Outlier | None = None) -> Pool:
    members = [Member("app", f"10.0.0.{i}:80", weight=weight) for i, weight in enumerate(weights)]
    return Pool("app", members, make_balancer(balancer, {}, Random(1)), outlier=outlier)


def microseconds(action: Callable[[Request], object]) -> float:
    """The time of one `action`, the loop's own time taken off."""
    requests = REQUESTS * (ROUNDS // len(REQUESTS))
    best = overhead = float("inf")
    for _ in range(5):
        begun = perf_counter()
        for _ in requests:
            pass
        overhead = min(overhead, perf_counter() - begun)
        begun = perf_counter()
        for request in requests:
            action(request)
        best = min(best, perf_counter() - begun)
    return (best - overhead) / len(requests) * 1e6


def attempt(pool: Pool) -> float:
    """One attempt's `started` and `finished`."""
    member = pool.members[0]

    def both(request: Request) -> None:
        pool.started(member, 1.0)
        pool.finished(member, 1.0, 200, 0.01)

    return microseconds(both)


def main(count: int) -> None:
    print(f"{count} members, µs per pick{'equal':>12}{'weighted':>10}{'excluded':>10}")
    for name in BALANCERS:
        equal = make_pool(name, [1] * count)
        weighted = make_pool(name, [1 + i % 5 for i in range(count)])
        tried = equal.members[:1]
        times = (
            microseconds(lambda request, pick=equal.pick: pick(request, 1.0)),
            microseconds(lambda request, pick=weighted.pick: pick(request, 1.0)),
            microseconds(lambda request, pick=equal.pick, tried=tried: pick(request, 1.0, tried)),
        )
        print(f"{name:<24}" + "".join(f"{time:>10.2f}" for time in times))
    alike = [1] * count
    print(f"{'started + finished':<24}{attempt(make_pool('round_robin', alike)):>10.2f}")
    print(f"{'  with passive health':<24}{attempt(make_pool('round_robin', alike, Outlier())):>10.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
