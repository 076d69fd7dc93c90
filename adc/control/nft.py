"""Runs `nft` with a timeout, and reports its first error in one line."""

from __future__ import annotations

import os
import shutil
import subprocess

PATIENCE = 20.0
"""Seconds for one run of nft, and for each `PATIENT_BYTES` of its text."""

PATIENT_BYTES = 10_000_000

MOST_OUTPUT = 500
"""Characters of an error that are passed on."""

_PATH = "/usr/sbin:/sbin:/usr/bin:/bin:" + os.environ.get("PATH", "")


class NftFailed(Exception):
    """nft is missing, lacks rights, took too long or refused; the text is for the user."""


def apply(text: str) -> None:
    """Apply one transaction: all of it or nothing. Raises NftFailed."""
    _run(("-f", "-"), text)


def check(text: str) -> None:
    """Check a transaction with nft and the kernel without applying it. Raises NftFailed."""
    _run(("-c", "-f", "-"), text)


def _run(arguments: tuple[str, ...], text: str) -> None:
    program = shutil.which("nft", path=_PATH)
    if program is None:
        raise NftFailed("there is no program nft; install the package nftables")
    patience = PATIENCE * (1 + len(text) / PATIENT_BYTES)
    try:
        done = subprocess.run(
            (program, *arguments),
            input=text.encode(),
            capture_output=True,
            timeout=patience,
            env={"PATH": _PATH, "LC_ALL": "C"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NftFailed(f"nft did not end within {patience:.3g} s") from None
    except OSError as error:
        raise NftFailed(f"nft cannot be run: {error.strerror}") from None
    if done.returncode:
        raise NftFailed(_reason(done.stderr.decode(errors="replace"), done.returncode))


def _reason(errors: str, status: int) -> str:
    """Return the first error in one line, with the line of our text that it is about."""
    if "Operation not permitted" in errors:
        return "nft may not change rules here; run adc as root or give it CAP_NET_ADMIN"
    lines = [line.strip() for line in errors.splitlines() if line.strip()] or ["no reason given"]
    reason = lines[0].rpartition("Error: ")[2]
    about = f', in "{lines[1]}"' if len(lines) > 1 else ""
    return f"nft failed with status {status}: {reason}{about}"[:MOST_OUTPUT]
