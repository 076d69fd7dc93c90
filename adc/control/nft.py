"""Running `nft` and reading what it says, in a limited time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable

from adc.firewall.nftables.table import Names

PATIENCE = 20.0
"""Seconds for one run of nft."""

MOST_OUTPUT = 500
"""Characters of an error that are passed on."""

_PATH = "/usr/sbin:/sbin:/usr/bin:/bin:" + os.environ.get("PATH", "")


class NftFailed(Exception):
    """nft is missing, lacks rights, took too long or refused; the text is for the user."""


def apply(text: str) -> None:
    """Carry out one transaction: all of it or nothing. Raises NftFailed."""
    _run(("-f", "-"), text)


def check(text: str) -> None:
    """Have nft and the kernel check a transaction without carrying it out. Raises NftFailed."""
    _run(("-c", "-f", "-"), text)


def names(table: str) -> Names:
    """Return what our table has; nothing if it does not exist. Raises NftFailed."""
    if not _exists(table):
        return Names()
    try:
        return Names.read(_run(("-j", "-t", "list", "table", "inet", table)))
    except ValueError as error:
        raise NftFailed(str(error)) from error


def shape(table: str, maps: Iterable[str]) -> str:
    """Return what changes with our table: its chains, rules and objects, and the elements of `maps`. "" if it is gone.

    Raises NftFailed.
    """
    if not _exists(table):
        return ""
    parts = json.loads(_run(("-j", "-t", "list", "table", "inet", table)))["nftables"]
    for part in parts:
        for kind, body in part.items():
            for key in ("handle", *(("packets", "bytes") if kind == "counter" else ())):
                body.pop(key, None)
    lists = "".join(f"list map inet {table} {name}\n" for name in maps)
    return json.dumps(parts) + (_run(("-s", "-f", "-"), lists) if lists else "")


def _exists(table: str) -> bool:
    tables = json.loads(_run(("-j", "list", "tables", "inet")))["nftables"]
    return any(entry.get("table", {}).get("name") == table for entry in tables)


def counters(table: str) -> dict[str, int]:
    """Return the packets of each counter of our table, by name. Raises NftFailed."""
    listing = _run(("-j", "list", "counters", "table", "inet", table))
    found = [entry["counter"] for entry in json.loads(listing)["nftables"] if "counter" in entry]
    return {counter["name"]: counter["packets"] for counter in found}


def _run(arguments: tuple[str, ...], text: str = "") -> str:
    program = shutil.which("nft", path=_PATH)
    if program is None:
        raise NftFailed("there is no program nft; install the package nftables")
    try:
        done = subprocess.run(
            (program, *arguments),
            input=text.encode(),
            capture_output=True,
            timeout=PATIENCE,
            env={"PATH": _PATH, "LC_ALL": "C"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NftFailed(f"nft did not end within {PATIENCE:g} s") from None
    except OSError as error:
        raise NftFailed(f"nft cannot be run: {error.strerror}") from None
    if done.returncode:
        raise NftFailed(_reason(done.stderr.decode(errors="replace"), done.returncode))
    return done.stdout.decode(errors="replace")


def _reason(errors: str, status: int) -> str:
    """Return the first error in one line, with the line of our text that it is about."""
    if "Operation not permitted" in errors:
        return "nft may not change rules here; run adc as root or give it CAP_NET_ADMIN"
    lines = [line.strip() for line in errors.splitlines() if line.strip()] or ["no reason given"]
    reason = lines[0].rpartition("Error: ")[2]
    about = f', in "{lines[1]}"' if len(lines) > 1 else ""
    return f"nft failed with status {status}: {reason}{about}"[:MOST_OUTPUT]
