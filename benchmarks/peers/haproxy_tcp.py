"""HAProxy as a proxy of TCP: one thread, with splice where the row asks for it."""

from __future__ import annotations

from benchmarks.peers.peer import Peer, command
from benchmarks.site import Site


def configuration(site: Site) -> str:
    """haproxy.cfg for `site`."""
    return f"""
global
  nbthread 1
  no strict-limits
  maxconn 12000
defaults
  mode tcp
  {"option splice-auto" if site.features.splice else ""}
  timeout client 350s
  timeout server 350s
  timeout connect 2s
frontend l4
  bind 127.0.0.1:{site.port} backlog 4096
  default_backend app
backend app
  server origin 127.0.0.1:{site.origin_port}
"""


def configure(site: Site) -> list[list[str]]:
    """Write the configuration; the command that runs it."""
    path = site.write("haproxy.cfg", configuration(site))
    return [command("haproxy", "-f", path, "-db")]


PEER = Peer("haproxy-tcp", ("haproxy",), "apt-get install haproxy", configure)
