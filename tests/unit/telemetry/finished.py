"""A finished exchange to log."""

from __future__ import annotations

from dataclasses import dataclass, field

from adc.http.client import Client
from adc.http.fields import divide
from adc.http.headers import Headers, Pair
from adc.http.message import Request


def request(target: str = "/shop?x=1", method: str = "GET", headers: tuple[Pair, ...] = ()) -> Request:
    path, _, query = target.partition("?")
    lines, proxy_fields, _ = divide(headers)
    return Request(
        method,
        target,
        path,
        query,
        "example.com:8080",
        "example.com",
        Headers(lines),
        proxy_fields,
        client=Client("10.0.0.9"),
    )


@dataclass
class Finished:
    request: Request | None = field(default_factory=request)
    client: str = "192.0.2.7"
    status: int = 200
    bytes_in: int = 12
    bytes_out: int = 3456
    started: float = 1790000000.25
    elapsed: float = 0.0125
    upstream_elapsed: float = 0.01
    route: str = "shop"
    pool: str = "web"
    member: str = "127.0.0.1:9000"
    attempts: int = 2
    request_id: str = "abc-1"
    end_reason: str = "-"
    cache: str = ""
    listener: str = "main"
