"""What every configuration of nginx has in common: one worker with room for many connections."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.peer import command
from benchmarks.site import Site


def process(site: Site, level: str = "warn") -> str:
    """Directives in front of the first block; the error log begins at `level`."""
    return f"""user root;
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid {site.folder}/nginx.pid;
error_log {site.folder}/error.log {level};
events {{ worker_connections 20000; }}"""


def run(site: Site, configuration: str, prefix: Path | str | None = None) -> list[str]:
    """Write the configuration; return the command that runs it. Modules are below `prefix`, the folder by default."""
    path = site.write("nginx.conf", configuration)
    return command("nginx", "-c", path, "-p", prefix or site.folder, "-e", site.folder / "error.log")
