"""adc with one worker; the supervisor's CPU counts and is shown separately."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from benchmarks.origin import INNER
from benchmarks.peers import adc_flows
from benchmarks.peers.peer import Peer
from benchmarks.processes import StartError
from benchmarks.site import BROTLI_LEVEL, GZIP_LEVEL, OUTER, Features, Site, make_files
from benchmarks.waf_engines import NO_CRS, crs_folder

CHECKOUT = Path(__file__).parents[2]
"""Measured is the code of this checkout, whether it is installed or not."""


def _route(host: int, prefix: int, features: Features) -> dict[str, Any]:
    route: dict[str, Any] = {
        "match": {"host": f"site{host}.example.com", "path": f"/app{prefix}/"},
        "pool": "app",
    }
    if features.cache:
        route["cache"] = {"store": "site"}
    if features.coding:
        route["compression"] = {
            "encodings": [features.coding],
            "min_size": "1KB",
            "levels": {"gzip": GZIP_LEVEL, "br": BROTLI_LEVEL},
        }
    if features.resilience:
        route["retries"] = {
            "attempts": 2,
            "on": ["connect_failure", "reset_before_response"],
            "budget": "20%",
        }
    if features.charset:
        route["plugins"] = [{"charset": {"to": "utf-8"}}]
    if features.rate_limit:
        route["plugins"] = [{"rate_limit": {"rate": "1000000/s"}}]
    if features.substitute:
        route["plugins"] = [{"substitute": {"rules": [{"find": INNER, "replace": OUTER}]}}]
    if features.waf:
        route["plugins"] = [{"waf": {"rules": [_rules(features.waf)], "paranoia": 1}}]
    return route


def _rules(waf: str) -> str:
    if waf == "core":
        return waf
    folder = crs_folder()
    if folder is None:
        raise StartError(NO_CRS)
    return str(folder)


def _pool(site: Site) -> dict[str, Any]:
    pool: dict[str, Any] = {
        "members": [f"127.0.0.1:{site.origin_port}"],
        "keep_alive": {"idle": "50s", "max_idle": 256},
    }
    if site.features.resilience:
        active = {"path": "/healthz", "interval": "1s", "timeout": "500ms", "rise": 2, "fall": 3}
        passive = {"failures": 5, "window": "10s", "eject": "30s", "max_ejected": "50%"}
        pool["health"] = {"active": active, "passive": passive}
        pool["breaker"] = {"requests": 10_000, "pending": 1_000}
        pool["limits"] = {"connections_per_member": 512, "queue": 1024, "queue_timeout": "5s"}
    if site.features.sticky:
        pool["persistence"] = {"source": {"prefix4": 32, "timeout": "10m", "size": 100000}}
    return pool


def configuration(site: Site) -> dict[str, Any]:
    """The configuration for `site` as the file's data."""
    features = site.features
    listener: dict[str, Any] = {
        "name": "web",
        "bind": f"127.0.0.1:{site.port}",
        "timeouts": {"request_head": "10s", "request_body": "30s", "keep_alive": "75s"},
    }
    if features.tls:
        certificate = {"certificate": str(site.certificate.chain), "key": str(site.certificate.key)}
        listener["tls"] = {"certificates": [certificate]}
    data: dict[str, Any] = {
        "workers": 1,
        "listeners": [listener],
        "routes": [
            _route(host, prefix, features)
            for host in range(features.hosts)
            for prefix in range(features.prefixes)
        ],
        "pools": {"app": _pool(site)},
        "access_log": {"path": str(site.folder / "access.log"), "format": "combined"},
        "admin": {"bind": f"127.0.0.1:{site.admin_port}"},
    }
    if features.files:
        data["routes"].insert(0, {"match": {"path": "/app0/asset/"}, "files": str(make_files(site))})
    if features.cache:
        data["caches"] = {"site": {"memory": "512MB"}}
    if features.trust_forwarded:
        data["trusted_proxies"] = ["127.0.0.1"]
    if features.sticky:
        data["state"] = {"backend": "local"}
    return data


def configure(site: Site) -> list[list[str]]:
    """Write the configuration; the command that runs it."""
    data = configuration(site) if site.features.protocol == "http" else adc_flows.configuration(site)
    path = site.write("adc.yaml", yaml.safe_dump(data, sort_keys=False))
    return [["env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "adc", "run", str(path)]]


PEER = Peer("adc", (sys.executable,), "pip install .", configure)
