"""The kernel delivers each frame to the socket that its first byte names."""

import socket

import pytest

from adc.control.addresses import Address
from adc.control.sockets import ListeningSockets
from adc.control.udp_sockets import slots_of
from adc.l4.udp.steering import steer_by_first_byte


@pytest.fixture
def group():
    sockets = ListeningSockets()
    plan = sockets.prepare({"channel": slots_of(Address("udp", "127.0.0.1", 0, "channel"), 3)})
    sockets.commit()
    yield [plan.sockets[key] for key in plan.listeners["channel"]]
    sockets.close()


def test_the_first_byte_is_the_index_of_the_socket(group):
    steer_by_first_byte(group[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for index in (2, 0, 1, 2):
            sender.sendto(bytes([index]) + b"frame", group[0].getsockname())
    assert [_all(sock) for sock in group] == [[0], [1], [2, 2]]


def test_a_socket_alone_needs_no_steering():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as alone:
        alone.bind(("127.0.0.1", 0))
        alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        steer_by_first_byte(alone)


def _all(sock):
    found = []
    while True:
        try:
            found.append(sock.recv(100)[0])
        except BlockingIOError:
            return found
