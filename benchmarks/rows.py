"""The rows of the benchmark: which contenders, which features, which load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from benchmarks.figures import Figures
from benchmarks.loads.flows import Datagrams, Mail, Stream
from benchmarks.loads.handshakes import Handshakes
from benchmarks.loads.idle import Idle
from benchmarks.loads.machine import Machine
from benchmarks.loads.paced import Paced
from benchmarks.loads.start import Start
from benchmarks.loads.wrk import Wrk
from benchmarks.running import Running
from benchmarks.site import Features


class Load(Protocol):
    """What is done to a running peer. `fresh`: each round gets a peer that was just started."""

    @property
    def fresh(self) -> bool: ...

    def warm_up(self, peer: Running) -> None:
        """Run before the first round; nothing of it is counted."""

    def measure(self, peer: Running, seconds: int) -> Figures:
        """Run one round."""


@dataclass(frozen=True)
class Contender:
    """A peer with the features that it runs with in a row."""

    peer: str
    features: Features


@dataclass(frozen=True)
class Row:
    """`contenders` by label; the others are compared with the first, by the figure `primary`.

    `most_rounds` bounds the rounds of a row that hardly varies.
    """

    name: str
    title: str
    origin: str
    load: Load
    contenders: Mapping[str, Contender]
    primary: str = "cpu_us"
    most_rounds: int = 100

    @property
    def base(self) -> str:
        """The label of the contender that ratios are taken to."""
        return next(iter(self.contenders))


PROXIES = ("nginx", "haproxy", "caddy", "apache", "aiohttp", "adc")
_LEAN = ("nginx", "haproxy", "adc")
PLAIN = Features()
ONE_ROUTE = Features(hosts=1, prefixes=1)
TRUSTING = Features(trust_forwarded=True)


def _all(names: tuple[str, ...], features: Features = PLAIN) -> dict[str, Contender]:
    return {name: Contender(name, features) for name in names}


def _of_adc(base: Features, **others: Features) -> dict[str, Contender]:
    named = {f"adc-{name.replace('_', '-')}": Contender("adc", features) for name, features in others.items()}
    return {"adc": Contender("adc", base), **named}


def _static(size: int) -> dict[str, Contender]:
    """Return nginx without and with its cache of open files, and adc."""
    return {
        "nginx": Contender("nginx", Features(1, 1, files=size)),
        "nginx-open-file-cache": Contender("nginx", Features(1, 1, files=size, open_files=True)),
        "adc": Contender("adc", Features(1, 1, files=size)),
    }


def _flows(protocol: str, *, bulk: bool = False) -> dict[str, Contender]:
    """Return the proxies of TCP or UDP; `bulk`: of many bytes."""
    features = Features(protocol=protocol, echo=bulk)
    contenders = {"nginx": Contender("nginx-stream", features)}
    if protocol == "tcp":
        contenders["haproxy"] = Contender("haproxy-tcp", features)
    if bulk:
        spliced = Features(protocol=protocol, splice=True, echo=True)
        contenders["haproxy-splice"] = Contender("haproxy-tcp", spliced)
    return {**contenders, "adc": Contender("adc", features)}


def _datapaths(protocol: str, *, bulk: bool = False) -> dict[str, Contender]:
    """Return adc with its workers and with the kernel as the data path."""
    features = Features(protocol=protocol, echo=bulk)
    return {"adc": Contender("adc", features), "adc-kernel": Contender("adc", replace(features, kernel=True))}


_GET = Wrk("get.lua")
_MAIL = {
    "nginx": Contender("nginx-mail", Features(protocol="smtp")),
    "haproxy": Contender("haproxy-tcp", Features(protocol="smtp")),
    "adc": Contender("adc", Features(protocol="smtp")),
}
_CACHED = Features(hosts=1, prefixes=1, cache=True)
_CACHES = ("nginx", "varnish", "adc")
_TLS = ("nginx", "haproxy", "adc")
_GZIP = Features(hosts=1, prefixes=1, coding="gzip")
_BROTLI = Features(hosts=1, prefixes=1, coding="br")

ROWS: dict[str, Row] = {
    row.name: row
    for row in (
        Row("get", "Small proxied GET", "small", _GET, _all(PROXIES)),
        Row("get-1", "Small proxied GET, 1 connection", "small", Wrk("get.lua", 1), _all(_LEAN)),
        Row("get-8", "Small proxied GET, 8 connections", "small", Wrk("get.lua", 8), _all(_LEAN)),
        Row(
            "get-5000",
            "Small proxied GET, 5,000 a second over 32 connections",
            "small",
            Paced(rate=5_000, connections=32),
            _all(_LEAN),
        ),
        Row("page", "10 KB response", "page", _GET, _all(PROXIES)),
        Row("post", "POST of 10 KB", "small", Wrk("post.lua"), _all(PROXIES)),
        Row("download", "100 MB download", "download", Wrk("get.lua", 2), _all(PROXIES), "cpu_us_per_mb"),
        Row("close", "New connection per request", "small", Wrk("close.lua"), _all(PROXIES)),
        Row(
            "routes",
            "10 and 10,000 routes",
            "small",
            _GET,
            _of_adc(PLAIN, routes_10000=Features(hosts=100, prefixes=100)),
        ),
        Row(
            "idle",
            "Memory of idle connections, 10,000 if the machine has descriptors for them",
            "small",
            Idle(),
            _all(PROXIES),
            "kb_each",
            most_rounds=1,
        ),
        Row("start", "Start to serving", "small", Start(), _all(PROXIES), "start_s"),
        Row("cache-1k", "Cache hit, 1 KB", "asset1k", Wrk("zipf.lua"), _all(_CACHES, _CACHED)),
        Row("cache-100k", "Cache hit, 100 KB", "asset100k", Wrk("zipf.lua"), _all(_CACHES, _CACHED)),
        Row(
            "gzip",
            "gzip of 50 KB HTML on the fly",
            "html",
            Wrk("gzip.lua", 16),
            _all(("nginx", "adc"), _GZIP),
        ),
        Row(
            "brotli",
            "brotli of 50 KB HTML on the fly",
            "html",
            Wrk("br.lua", 16),
            _all(("nginx", "adc"), _BROTLI),
        ),
        Row(
            "charset",
            "1 MB page from windows-1251 to UTF-8",
            "russian",
            Wrk("get.lua", 8),
            _all(("nginx", "adc"), Features(1, 1, charset=True)),
        ),
        Row(
            "substitute",
            "1 MB page, the name of an inner host replaced",
            "inner",
            Wrk("get.lua", 8),
            _all(("nginx", "adc"), Features(1, 1, substitute=True)),
        ),
        Row(
            "rate-limit",
            "Small GET, limited by client",
            "small",
            Wrk("get.lua", 1),
            {
                **_of_adc(ONE_ROUTE, rate_limit=Features(1, 1, rate_limit=True)),
                "nginx": Contender("nginx", ONE_ROUTE),
                "nginx-limit-req": Contender("nginx", Features(1, 1, rate_limit=True)),
            },
        ),
        Row("static-1k", "Static file, 1 KB", "small", Wrk("zipf.lua"), _static(1 << 10)),
        Row("static-1m", "Static file, 1 MB", "small", Wrk("files.lua", 16), _static(1 << 20)),
        Row("handshake", "TLS handshake, full", "small", Handshakes(), _all(_TLS, Features(tls=True))),
        Row("tls-get", "Small proxied GET over TLS", "small", _GET, _all(_TLS, Features(tls=True))),
        Row(
            "extras",
            "Small GET: health, breaker, retries; sticky by source",
            "small",
            Wrk("clients.lua"),
            _of_adc(
                TRUSTING,
                resilient=Features(trust_forwarded=True, resilience=True),
                sticky=Features(trust_forwarded=True, sticky=True),
            ),
        ),
        Row(
            "tcp-bytes",
            "TCP, bytes both ways",
            "bytes",
            Stream(),
            _flows("tcp", bulk=True),
            "cpu_us_per_mb",
        ),
        Row(
            "tcp-connections",
            "TCP, connection with a small request and response",
            "small",
            Wrk("close.lua"),
            _flows("tcp"),
        ),
        Row(
            "kernel-bytes",
            "TCP, bytes both ways, CPU of the whole machine",
            "bytes",
            Machine(Stream()),
            _datapaths("tcp", bulk=True),
            "machine_us_per_mb",
        ),
        Row(
            "kernel-connections",
            "TCP, connection with a small request and response, CPU of the whole machine",
            "small",
            Machine(Wrk("close.lua")),
            _datapaths("tcp"),
            "machine_us",
        ),
        Row(
            "kernel-udp",
            "UDP, request and response, CPU of the whole machine",
            "datagrams",
            Machine(Datagrams()),
            _datapaths("udp"),
            "machine_us",
        ),
        Row("udp", "UDP, request and response of 256 client ports", "datagrams", Datagrams(), _flows("udp")),
        Row("mail", "SMTP, connection with a message of 10 KB", "mail", Mail(), _MAIL),
        Row("mail-100", "SMTP, messages of 10 KB, 100 in each connection", "mail", Mail(messages=100), _MAIL),
        Row(
            "waf",
            "Small GET: firewall with the bundled rules, with the OWASP CRS at level 1",
            "small",
            _GET,
            _of_adc(ONE_ROUTE, core=Features(1, 1, waf="core"), crs=Features(1, 1, waf="crs")),
        ),
    )
}
