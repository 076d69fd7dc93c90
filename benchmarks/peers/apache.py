"""Apache httpd: the event MPM with one child process."""

from __future__ import annotations

from benchmarks.peers.peer import Peer, command
from benchmarks.site import Site

_MODULES = (
    "mpm_event",
    "authz_core",
    "proxy",
    "proxy_http",
    "headers",
    "reqtimeout",
    "status",
    "unique_id",
)
_FOLDER = "/usr/lib/apache2/modules"


def configuration(site: Site) -> str:
    """httpd.conf for `site`."""
    modules = "\n".join(f"LoadModule {name}_module {_FOLDER}/mod_{name}.so" for name in _MODULES)
    return f"""
ServerRoot {site.folder}
{modules}
User www-data
Group www-data
ServerName localhost
PidFile {site.folder}/apache.pid
DefaultRuntimeDir {site.folder}
Mutex posixsem
ErrorLog {site.folder}/error.log
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-Agent}}i\\"" combined
CustomLog {site.folder}/access.log combined
BufferedLogs On
Listen 127.0.0.1:{site.port}
Listen 127.0.0.1:{site.admin_port}
ListenBacklog 4096
StartServers 1
ServerLimit 1
ThreadLimit 128
ThreadsPerChild 128
MaxRequestWorkers 128
AsyncRequestWorkerFactor 128
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 75
Timeout 60
RequestReadTimeout header=10-20,MinRate=500 body=30,MinRate=500
ExtendedStatus On
EnableSendfile On
ProxyRequests Off
ProxyVia Full
ProxyPreserveHost On
ProxyTimeout 30
RequestHeader set X-Request-Id "%{{UNIQUE_ID}}e"
RequestHeader set X-Forwarded-Proto "http"
<VirtualHost 127.0.0.1:{site.port}>
  ProxyPass / http://127.0.0.1:{site.origin_port}/ keepalive=On connectiontimeout=2 max=128
</VirtualHost>
<VirtualHost 127.0.0.1:{site.admin_port}>
  <Location />
    SetHandler server-status
  </Location>
</VirtualHost>
"""


def configure(site: Site) -> list[list[str]]:
    """Write the configuration; the command that runs it."""
    path = site.write("httpd.conf", configuration(site))
    return [command("apache2", "-f", path, "-DFOREGROUND")]


PEER = Peer("apache", ("apache2",), "apt-get install apache2", configure)
