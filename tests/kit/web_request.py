"""A request as a client sends it, for tests that judge requests without a socket."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebRequest:
    """`target` is as it stands on the wire; `kind` names the part of the traffic that the request belongs to."""

    method: str = "GET"
    target: str = "/"
    headers: tuple[tuple[str, str], ...] = (("Host", "shop.example"),)
    body: bytes = b""
    kind: str = ""
    protocol: str = "1.1"


@dataclass(frozen=True, slots=True)
class WebResponse:
    """What the origin answers to `WebRequest`."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html; charset=utf-8"),)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which rules matched, and whether the exchange was blocked."""

    ids: frozenset[int]
    blocked: bool
