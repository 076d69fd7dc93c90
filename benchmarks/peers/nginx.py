"""nginx: one worker, keep-alive to the origin, buffered combined log, stub_status as its metrics."""

from __future__ import annotations

from benchmarks.origin import INNER
from benchmarks.peers.nginx_process import process, run
from benchmarks.peers.peer import Peer
from benchmarks.site import BROTLI_LEVEL, GZIP_LEVEL, OUTER, Site, make_files

_CODINGS = {
    "": "",
    "gzip": f"gzip on; gzip_comp_level {GZIP_LEVEL}; gzip_min_length 1024; gzip_proxied any; gzip_vary on;",
    "br": f"brotli on; brotli_comp_level {BROTLI_LEVEL}; brotli_min_length 1024;",
}


def _cache(site: Site) -> tuple[str, str]:
    if not site.features.cache:
        return "", ""
    zone = (
        f"proxy_cache_path {site.folder}/cache levels=1:2 keys_zone=site:16m max_size=1g use_temp_path=off;"
    )
    return zone, "proxy_cache site; proxy_cache_lock on; add_header X-Cache $upstream_cache_status;"


def _tls(site: Site) -> tuple[str, str]:
    if not site.features.tls:
        return "", ""
    certificate = site.certificate
    lines = f"ssl_certificate {certificate.chain}; ssl_certificate_key {certificate.key};"
    return " ssl", lines + " ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:tls:10m;"


def _transformed(site: Site) -> tuple[str, str]:
    """Return the lines for `http` and for the location."""
    if site.features.charset:
        return "include /etc/nginx/win-utf;", "charset utf-8; override_charset on;"
    if site.features.rate_limit:
        zone = "limit_req_zone $binary_remote_addr zone=limit:10m rate=1000000r/s;"
        return zone, "limit_req zone=limit burst=1000000 nodelay; add_header RateLimit $limit_req_status;"
    if site.features.substitute:
        return "", f"sub_filter '{INNER}' '{OUTER}'; sub_filter_once off;"
    return "", ""


def _files(site: Site) -> str:
    """Return the location of static files."""
    if not site.features.files:
        return ""
    kept = "open_file_cache max=1000; open_file_cache_valid 1s;" if site.features.open_files else ""
    return f"location /app0/asset/ {{ root {make_files(site)}; sendfile on; tcp_nopush on; {kept} }}"


def configuration(site: Site) -> str:
    """nginx.conf for `site`."""
    zone, cache = _cache(site)
    listen_tls, tls = _tls(site)
    maps, transformed = _transformed(site)
    brotli = "load_module modules/ngx_http_brotli_filter_module.so;" if site.features.coding == "br" else ""
    return f"""
{brotli}
{process(site)}
http {{
  access_log {site.folder}/access.log combined buffer=64k flush=1s;
  client_body_temp_path {site.folder}/body;
  proxy_temp_path {site.folder}/proxy;
  keepalive_timeout 75s;
  keepalive_requests 100000000;
  client_header_timeout 10s;
  client_body_timeout 30s;
  send_timeout 60s;
  tcp_nodelay on;
  {zone}
  {maps}
  {_CODINGS[site.features.coding]}
  upstream app {{
    server 127.0.0.1:{site.origin_port};
    keepalive 256;
    keepalive_requests 100000000;
  }}
  server {{
    listen 127.0.0.1:{site.port}{listen_tls} backlog=4096;
    {tls}
    {_files(site)}
    location / {{
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header Via "1.1 nginx";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Request-Id $request_id;
      proxy_connect_timeout 2s;
      proxy_read_timeout 30s;
      proxy_send_timeout 30s;
      proxy_max_temp_file_size 0;
      add_header Via "1.1 nginx";
      {cache}
      {transformed}
    }}
  }}
  server {{
    listen 127.0.0.1:{site.admin_port};
    location / {{ stub_status; }}
  }}
}}
"""


def configure(site: Site) -> list[list[str]]:
    """Write the configuration; the command that runs it."""
    return [run(site, configuration(site), "/usr/share/nginx")]


PEER = Peer("nginx", ("nginx",), "apt-get install nginx-light libnginx-mod-http-brotli-filter", configure)
