"""Notifying the service manager of the state: the sd_notify datagrams of systemd."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from adc.telemetry.event_log import EventLog

log = EventLog(__name__)


def notify(*lines: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send `lines` (such as `READY=1`) to the socket named by NOTIFY_SOCKET; False if there is none."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)  # a manager that hangs must not block adc
            sock.connect(address)
            sock.send("\n".join(lines).encode())
    except OSError as error:
        log.warn("notify_failed", detail=str(error))
        return False
    return True


def reloading() -> bool:
    """Say that a reload has begun; systemd wants the monotonic time with it (Type=notify-reload)."""
    return notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
