"""Whether a peer that was started really does what its row asks, so that no ratio is won by doing nothing."""

from __future__ import annotations

import random
import socket
import threading
import time
from contextlib import closing
from http.client import HTTPConnection
from urllib.request import Request, urlopen

from benchmarks.figures import Figures
from benchmarks.origin import INNER, Origin
from benchmarks.processes import StartError
from benchmarks.running import Running
from benchmarks.site import OUTER

HEALTH_INTERVALS = 2
LEAST_HITS = 0.9


def prove(peer: Running, origin: Origin) -> None:
    """Raise StartError when a feature of the peer's site shows no sign of itself. Call after the warm-up."""
    features = peer.site.features
    if features.echo and not _echoes(peer):
        raise StartError("does not return the bytes that were sent")
    if features.coding and (seen := _coding_of_answer(peer)) != features.coding:
        raise StartError(f"answers with Content-Encoding: {seen or 'none'}, not {features.coding}")
    if features.waf and (status := _status_of_attack(peer)) != 403:
        raise StartError(f"accepts the firewall but answers SQL injection with {status}, not 403")
    if features.charset and "Список".encode() not in _page(peer):
        raise StartError("accepts the charset but does not convert")
    if features.rate_limit and not _limit_of_answer(peer):
        raise StartError("accepts the rate limit but its response has no RateLimit")
    if features.substitute and (INNER.encode() in (page := _page(peer)) or OUTER.encode() not in page):
        raise StartError("accepts the text to replace but does not")
    if features.sticky and not persistence_entries(_metrics(peer)):
        raise StartError("accepts the persistence but pins nobody")
    if features.resilience and not _health_checks_arrive(origin):
        raise StartError("accepts the health checks but sends none")


def check_hits(figures: Figures, at_origin: int, seconds: int) -> None:
    """Add `hits`, the share of requests that the origin never saw. Raises StartError when it is too small."""
    figures["hits"] = max(0.0, 1 - at_origin / (figures["rate"] * seconds))
    if figures["hits"] < LEAST_HITS:
        raise StartError(f"accepts the cache but answered only {figures['hits']:.0%} from it")


def persistence_entries(exposition: str) -> float:
    """Return the number of clients that are pinned, from the Prometheus text of adc."""
    lines = (line for line in exposition.splitlines() if line.startswith("adc_persistence_entries"))
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def _coding_of_answer(peer: Running) -> str:
    connection = HTTPConnection("127.0.0.1", peer.site.port, timeout=10.0)
    fields = {"Host": "site0.example.com", "Accept-Encoding": peer.site.features.coding}
    with closing(connection):
        connection.request("GET", "/app0/item/00", headers=fields)
        return connection.getresponse().getheader("Content-Encoding", "")


def _page(peer: Running) -> bytes:
    request = Request(f"http://127.0.0.1:{peer.site.port}/app0/0", headers={"Host": "site0.example.com"})
    with urlopen(request, timeout=10.0) as answer:
        content: bytes = answer.read()
        return content


def _limit_of_answer(peer: Running) -> str:
    request = Request(f"http://127.0.0.1:{peer.site.port}/app0/0", headers={"Host": "site0.example.com"})
    with urlopen(request, timeout=10.0) as answer:
        return str(answer.headers.get("RateLimit", ""))


def _status_of_attack(peer: Running) -> int:
    connection = HTTPConnection("127.0.0.1", peer.site.port, timeout=10.0)
    with closing(connection):
        connection.request(
            "GET",
            "/app0/item/00?id=1%27+union+select+password+from+users--",
            headers={"Host": "site0.example.com"},
        )
        return connection.getresponse().status


def _echoes(peer: Running) -> bool:
    """Return True if 4 MB come back unchanged, and the end of the stream behind them."""
    content = random.randbytes(4 << 20)
    with socket.create_connection(("127.0.0.1", peer.site.port), 10.0) as connection:
        sender = threading.Thread(target=_send, args=(connection, b"echo\n" + content))
        sender.start()
        received = connection.makefile("rb").read()
        sender.join()
    return received == content


def _send(connection: socket.socket, content: bytes) -> None:
    connection.sendall(content)
    connection.shutdown(socket.SHUT_WR)


def _metrics(peer: Running) -> str:
    with urlopen(f"http://127.0.0.1:{peer.site.admin_port}/metrics", timeout=10.0) as answer:
        text: str = answer.read().decode()
        return text


def _health_checks_arrive(origin: Origin) -> bool:
    before = origin.requests()
    time.sleep(HEALTH_INTERVALS + 0.5)
    asked_by_us = 1
    return origin.requests() - before >= HEALTH_INTERVALS + asked_by_us
