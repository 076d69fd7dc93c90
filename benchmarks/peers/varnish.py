"""Varnish with its log writer, for the cache rows."""

from __future__ import annotations

from benchmarks.peers.peer import Peer, command
from benchmarks.site import Site


def configuration(site: Site) -> str:
    """The VCL for `site`: cookies do not vary what the origin calls public."""
    return f"""
vcl 4.1;
backend app {{
  .host = "127.0.0.1";
  .port = "{site.origin_port}";
  .connect_timeout = 2s;
  .first_byte_timeout = 30s;
  .between_bytes_timeout = 30s;
}}
sub vcl_recv {{
  unset req.http.Cookie;
}}
"""


def configure(site: Site) -> list[list[str]]:
    """Write the VCL; the commands of the cache and of its log writer."""
    path = site.write("site.vcl", configuration(site))
    home = site.folder / "varnish"
    cache = command("varnishd", "-F", "-j", "none", "-n", home, "-f", path, "-s", "malloc,512m")
    cache += ["-a", f"127.0.0.1:{site.port}", "-p", "timeout_idle=75"]
    log = command("varnishncsa", "-n", home, "-w", site.folder / "access.log", "-t", "20")
    return [cache, log]


PEER = Peer("varnish", ("varnishd", "varnishncsa"), "apt-get install varnish", configure)
