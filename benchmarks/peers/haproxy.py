"""HAProxy: one thread, its log written to standard output, which is a file."""

from __future__ import annotations

from benchmarks.peers.peer import Peer, command
from benchmarks.site import Site

_LOG = r'"%ci - - [%T] %{+Q}r %ST %B %{+Q}[capture.req.hdr(0)] %{+Q}[capture.req.hdr(1)]"'


def configuration(site: Site) -> str:
    """haproxy.cfg for `site`."""
    tls = f" ssl crt {site.certificate.bundle} alpn http/1.1" if site.features.tls else ""
    return f"""
global
  log stdout format raw local0 info
  nbthread 1
  no strict-limits
  maxconn 12000
defaults
  mode http
  log global
  log-format {_LOG}
  option forwardfor
  http-reuse always
  timeout client 60s
  timeout server 60s
  timeout connect 2s
  timeout http-request 10s
  timeout http-keep-alive 75s
  timeout queue 5s
frontend web
  bind 127.0.0.1:{site.port}{tls} backlog 4096
  capture request header Referer len 128
  capture request header User-Agent len 128
  unique-id-format %{{+X}}o\\ %ci:%cp_%Ts_%rt:%pid
  unique-id-header X-Request-Id
  http-request set-header Via "1.1 haproxy"
  http-request set-header X-Forwarded-Proto {"https" if tls else "http"}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-response set-header Via "1.1 haproxy"
  default_backend app
backend app
  server origin 127.0.0.1:{site.origin_port} pool-max-conn 256
frontend stats
  bind 127.0.0.1:{site.admin_port}
  stats enable
  stats uri /
"""


def configure(site: Site) -> list[list[str]]:
    """Write the configuration; the command that runs it."""
    path = site.write("haproxy.cfg", configuration(site))
    return [command("haproxy", "-f", path, "-db")]


PEER = Peer("haproxy", ("haproxy",), "apt-get install haproxy", configure)
