"""Datagrams that the kernel dropped, read from a real socket."""

import socket

from adc.l4.udp.kernel_drops import KernelDrops


def overflow(sock):
    """Send a socket more than its buffer holds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(100):
            sender.sendto(bytes(1000), sock.getsockname())


def received(sock):
    count = 0
    try:
        while sock.recv(1000):
            count += 1
    except BlockingIOError:
        return count


def small():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    sock.bind(("127.0.0.1", 0))
    sock.setblocking(False)
    return sock


def test_drops_are_counted_from_the_first_look_on():
    with small() as sock:
        overflow(sock)
        received(sock)
        drops = KernelDrops()
        assert drops.since_last([sock]) == 0
        overflow(sock)
        lost = 100 - received(sock)
        assert lost > 0
        assert drops.since_last([sock]) == lost
        assert drops.since_last([sock]) == 0


def test_closed_socket_is_passed_over():
    drops = KernelDrops()
    with small() as sock:
        drops.since_last([sock])
    assert drops.since_last([sock]) == 0
