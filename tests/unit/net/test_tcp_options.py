"""Options of sockets that have none of them."""

import socket

import pytest

from adc.net.tcp_options import acknowledged_at, close_as, probe_silence


@pytest.mark.parametrize("kind", ["unix", "closed", "none"])
def test_socket_without_options_is_left_alone(kind):
    """None is the socket of a transport that is closing."""
    ours, peer = socket.socketpair()
    if kind == "closed":
        ours.close()
    with ours, peer:
        sock = None if kind == "none" else ours
        close_as(sock, "reset")
        close_as(sock, "silent")
        probe_silence(sock, 5)
        assert acknowledged_at(sock, 50.0) == 0.0
