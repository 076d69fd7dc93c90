"""The configuration of adc as a proxy of TCP, UDP or mail."""

from __future__ import annotations

from typing import Any

from benchmarks.site import Site


def configuration(site: Site) -> dict[str, Any]:
    """Return the configuration for `site` as the file's data."""
    protocol = site.features.protocol
    listener: dict[str, Any] = {
        "name": "l4",
        "bind": f"127.0.0.1:{site.port}",
        "protocol": protocol,
    }
    if protocol == "smtp":
        listener["smtp"] = {"routes": [{"pool": "app"}]}
    else:
        listener["pool"] = "app"
    if site.features.kernel:
        listener["datapath"] = "kernel"
    elif protocol == "udp":
        listener["udp"] = {"responses": 1}
    found = {
        "workers": 1,
        "listeners": [listener],
        "pools": {"app": {"members": [f"127.0.0.1:{site.origin_port}"]}},
        "admin": {"bind": f"127.0.0.1:{site.admin_port}"},
    }
    if site.features.kernel:
        found["shutdown"] = {"grace": "1s"}  # flows of the kernel outlive their clients
        found["firewall"] = {"engine": "nftables", "remove_on_exit": True}
    return found
