"""nginx as a proxy of TCP or UDP: its stream module, one worker."""

from __future__ import annotations

from benchmarks.peers.nginx_process import process, run
from benchmarks.peers.peer import Peer
from benchmarks.site import Site

MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


def configuration(site: Site) -> str:
    """nginx.conf for `site`."""
    udp = site.features.protocol == "udp"
    listen, once = (" udp", "proxy_responses 1;") if udp else (" backlog=4096", "")
    return f"""
load_module {MODULE};
{process(site)}
stream {{
  upstream app {{ server 127.0.0.1:{site.origin_port}; }}
  server {{
    listen 127.0.0.1:{site.port}{listen};
    proxy_connect_timeout 2s;
    proxy_timeout 350s;
    proxy_half_close on;
    {once}
    proxy_pass app;
  }}
}}
"""


def configure(site: Site) -> list[list[str]]:
    """Write the configuration; the command that runs it."""
    return [run(site, configuration(site))]


PEER = Peer("nginx-stream", ("nginx", MODULE), "apt-get install nginx-light libnginx-mod-stream", configure)
