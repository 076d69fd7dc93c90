"""The kind of failure behind an error of connecting to a member."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Final

from adc.pools.errors import Failure

_OWN_LACK: Final = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ENOSPC, errno.EADDRNOTAVAIL}
)
"""Errors of this machine, for which no member is to blame."""


def failure_of(error: OSError) -> Failure:
    """Return the kind of an error that occurred while a connection was opened."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Failure.TLS_CERTIFICATE
    if isinstance(error, ssl.SSLError):
        return Failure.TLS_ALERT if "ALERT" in (error.reason or "") else Failure.TLS_ERROR
    if isinstance(error, ConnectionResetError | ConnectionAbortedError):  # only a handshake can break off
        return Failure.TLS_ERROR
    if isinstance(error, TimeoutError):
        return Failure.CONNECTION_TIMEOUT
    if isinstance(error, ConnectionRefusedError | FileNotFoundError):
        return Failure.CONNECTION_REFUSED
    if isinstance(error, socket.gaierror):
        return Failure.DNS_ERROR
    if error.errno in _OWN_LACK:
        return Failure.CONNECTION_LIMIT
    return Failure.UNROUTABLE
