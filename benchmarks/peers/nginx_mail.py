"""nginx as a proxy of mail: its mail module, which reads commands up to RCPT and joins the connections then.

The module asks an HTTP server for the member of each connection: the same nginx answers.
"""

from __future__ import annotations

from benchmarks.peers.nginx_process import process, run
from benchmarks.peers.peer import Peer
from benchmarks.site import Site

MODULE = "/usr/lib/nginx/modules/ngx_mail_module.so"


def configuration(site: Site) -> str:
    """nginx.conf for `site`."""
    return f"""
load_module {MODULE};
{process(site, "crit")}
http {{
  access_log off;
  server {{
    listen 127.0.0.1:{site.admin_port};
    add_header Auth-Status OK;
    add_header Auth-Server 127.0.0.1;
    add_header Auth-Port {site.origin_port};
    location / {{ return 204; }}
  }}
}}
mail {{
  server_name proxy.test;
  auth_http 127.0.0.1:{site.admin_port}/;
  server {{
    listen 127.0.0.1:{site.port} backlog=4096;
    protocol smtp;
    smtp_auth none;
    xclient off;
    smtp_capabilities PIPELINING 8BITMIME "SIZE 100000000";
  }}
}}
"""


def configure(site: Site) -> list[list[str]]:
    """Write the configuration; the command that runs it."""
    return [run(site, configuration(site))]


PEER = Peer("nginx-mail", ("nginx", MODULE), "apt-get install nginx-light libnginx-mod-mail", configure)
