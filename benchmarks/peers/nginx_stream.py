"""nginx as a proxy of TCP or UDP: its stream module, one worker."""

from __future__ import annotations

from benchmarks.peers.peer import Peer, command
from benchmarks.site import Site

MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


def configuration(site: Site) -> str:
    """nginx.conf for `site`."""
    udp = site.features.protocol == "udp"
    listen, once = (" udp", "proxy_responses 1;") if udp else (" backlog=4096", "")
    return f"""
load_module {MODULE};
user root;
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid {site.folder}/nginx.pid;
error_log {site.folder}/error.log warn;
events {{ worker_connections 20000; }}
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
    path = site.write("nginx.conf", configuration(site))
    return [command("nginx", "-c", path, "-p", site.folder, "-e", site.folder / "error.log")]


PEER = Peer("nginx-stream", ("nginx", MODULE), "apt-get install nginx-light libnginx-mod-stream", configure)
