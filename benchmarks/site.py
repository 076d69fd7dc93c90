"""What every peer is told: where to listen, where the origin is, which features the row asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

OUTER = "https://www.example.com/"
"""What replaces the name of an inner host."""
GZIP_LEVEL = 4
BROTLI_LEVEL = 4
"""The effort that everyone who compresses is told to make."""


@dataclass(frozen=True)
class Certificate:
    """PEM files of a self-signed ECDSA P-256 certificate; `bundle` holds both, as HAProxy wants it."""

    chain: Path
    key: Path
    bundle: Path


@dataclass(frozen=True)
class Features:
    """What a row asks beside plain proxying.

    `coding` is the content coding to apply: gzip or br; `waf` the rules of the firewall: core or crs. `charset`
    converts windows-1251 to UTF-8, `substitute` replaces the name of an inner host, `rate_limit`
    counts requests by client under a limit that none reaches. `files`
    serves files of this size instead of the origin; with `open_files` nginx keeps them open. `protocol` is what is
    proxied: http, tcp, udp or smtp; with `splice` HAProxy moves bytes inside the kernel; `echo`: the member can return
    what it receives; with `kernel` adc has the kernel forward the packets.
    """

    hosts: int = 2
    prefixes: int = 5
    cache: bool = False
    coding: str = ""
    tls: bool = False
    trust_forwarded: bool = False
    resilience: bool = False
    sticky: bool = False
    waf: str = ""
    charset: bool = False
    substitute: bool = False
    rate_limit: bool = False
    files: int = 0
    open_files: bool = False
    protocol: str = "http"
    splice: bool = False
    echo: bool = False
    kernel: bool = False

    @property
    def routes(self) -> int:
        """Return the number of routes (hosts x prefixes) of the route table."""
        return self.hosts * self.prefixes


@dataclass(frozen=True)
class Site:
    """One peer's assignment. Ports are on 127.0.0.1; `folder` is its own, for configuration and logs."""

    folder: Path
    port: int
    admin_port: int
    origin_port: int
    certificate: Certificate
    features: Features = field(default_factory=Features)

    def write(self, name: str, text: str) -> Path:
        """Put `text` into the file `name` of the folder and return its path."""
        path = self.folder / name
        path.write_text(text)
        return path


def make_files(site: Site) -> Path:
    """Make the folder of static files, with the names that `zipf.lua` and `files.lua` ask for, and return it."""
    folder = site.folder / "public"
    (folder / "app0" / "asset").mkdir(parents=True, exist_ok=True)
    for number in range(1000 if site.features.files < 1 << 16 else 20):
        (folder / "app0" / "asset" / f"{number:06}").write_bytes(b"x" * site.features.files)
    return folder
