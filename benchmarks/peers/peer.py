"""What the runner needs to know of a peer."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.site import Site

_PATH = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/sbin:/bin"


def find(binary: str) -> str | None:
    """Where `binary` is (an absolute path is only looked at), None if it is not installed."""
    if binary.startswith("/"):
        return binary if Path(binary).exists() else None
    return shutil.which(binary) or shutil.which(binary, path=_PATH)


@dataclass(frozen=True)
class Peer:
    """`configure` writes the configuration for a site and returns the commands, the main process first.

    `binaries` must be installed; `install` is the command that does it.
    """

    name: str
    binaries: tuple[str, ...]
    install: str
    configure: Callable[[Site], list[list[str]]]

    def missing(self) -> list[str]:
        """The binaries that are not installed."""
        return [binary for binary in self.binaries if find(binary) is None]


def command(binary: str, *arguments: object) -> list[str]:
    """A command line with the full path of `binary`."""
    return [find(binary) or binary, *map(str, arguments)]
