"""Has the kernel deliver frames between nodes to the worker that their first byte names."""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from typing import Final

_SO_ATTACH_REUSEPORT_CBPF: Final = 51
_PROGRAM: Final = struct.pack("HBBI", 0x30, 0, 0, 0) + struct.pack("HBBI", 0x16, 0, 0, 0)
"""`ldb [0]; ret a`: the first byte of a datagram is the index of the socket in its group."""


def steer_by_first_byte(sock: socket.socket) -> None:
    """Choose among the SO_REUSEPORT group of `sock` by the first byte of each datagram. Raises OSError.

    A byte beyond the group's size lets the kernel choose, as it does without this. No-op for a socket that was bound
    without a group and is still alone.
    """
    program = ctypes.create_string_buffer(_PROGRAM)
    described = struct.pack("HP", 2, ctypes.addressof(program))
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, described)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        del program  # the kernel reads it during the call
