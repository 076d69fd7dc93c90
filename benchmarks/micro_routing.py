"""What one `Router.find` costs, in microseconds: `python -m benchmarks.micro_routing`."""

from __future__ import annotations

from timeit import timeit

from adc.http.headers import Headers
from adc.http.message import Request
from adc.routing import Match, Router, Rule, host_rule, path_rule

CALLS = 5_000
ROUNDS = 60


def grid(hosts: int, prefixes: int) -> Router[str]:
    """One route for each host and prefix."""
    rules = []
    for host in range(hosts):
        for prefix in range(prefixes):
            match = Match(host=[host_rule(f"h{host}.example.com")], path=[path_rule(f"/p{prefix}/")])
            rules.append(Rule(match, f"{host}/{prefix}"))
    return Router(rules)


def asked(hosts: int, prefixes: int, count: int = 500) -> list[Request]:
    """Requests spread over hosts and prefixes."""
    requests = []
    for number in range(count):
        host = f"h{number * 7 % hosts}.example.com"
        path = f"/p{number * 13 % prefixes}/static/app-{number}.js"
        requests.append(Request("GET", path, path, "", host, host, Headers()))
    return requests


def one_round(router: Router[str], requests: list[Request]) -> float:
    """Microseconds of one `find`."""
    find = router.find

    def find_all() -> None:
        for request in requests:
            find(request)

    rounds = CALLS // len(requests)
    return timeit(find_all, number=rounds) / (rounds * len(requests)) * 1e6


def main() -> None:
    """Print the quickest round of each row; the rows take turns, so that a busy machine slows them alike."""
    rows = {
        "1 catch-all route": (Router([Rule(Match(), "all")]), asked(1, 1)),
        "10 routes, 2 hosts x 5 prefixes": (grid(2, 5), asked(2, 5)),
        "10,000 routes, 100 hosts x 100 prefixes": (grid(100, 100), asked(100, 100)),
    }
    for router, requests in rows.values():
        if any(router.find(request) is None for request in requests):
            raise SystemExit("a request of the benchmark met no route")
    quickest = dict.fromkeys(rows, float("inf"))
    for _ in range(ROUNDS):
        for name, row in rows.items():
            quickest[name] = min(quickest[name], one_round(*row))
    for name, time in quickest.items():
        print(f"{name:42} {time:6.3f} us")


if __name__ == "__main__":
    main()
