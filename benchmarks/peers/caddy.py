"""Caddy: its Go runtime takes one processor from the affinity mask; access log and metrics on."""

from __future__ import annotations

from benchmarks.peers.peer import Peer, command
from benchmarks.site import Site


def configuration(site: Site) -> str:
    """The Caddyfile for `site`."""
    return f"""
{{
  admin 127.0.0.1:{site.admin_port}
  auto_https off
  servers {{
    metrics
    timeouts {{
      read_header 10s
      read_body 30s
      idle 75s
    }}
  }}
}}
http://:{site.port} {{
  bind 127.0.0.1
  log {{
    output file {site.folder}/access.log
  }}
  reverse_proxy 127.0.0.1:{site.origin_port} {{
    header_up Via "1.1 caddy"
    header_up X-Request-Id {{http.request.uuid}}
    header_down Via "1.1 caddy"
    transport http {{
      dial_timeout 2s
      response_header_timeout 30s
      keepalive 60s
      keepalive_idle_conns_per_host 256
      compression off
    }}
  }}
}}
"""


def configure(site: Site) -> list[list[str]]:
    """Write the configuration; the command that runs it."""
    path = site.write("Caddyfile", configuration(site))
    return [command("caddy", "run", "--config", path, "--adapter", "caddyfile")]


PEER = Peer("caddy", ("caddy",), "apt-get install caddy", configure)
