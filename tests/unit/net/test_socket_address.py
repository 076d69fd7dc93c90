"""Addresses of sockets from literal hosts, and back."""

import socket

import pytest

from adc.net.socket_address import literal_host, socket_address

LOOPBACK = socket.if_nametoindex("lo")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("fe80::1%lo", ("fe80::1", 53, 0, LOOPBACK)),
        (f"fe80::1%{LOOPBACK}", ("fe80::1", 53, 0, LOOPBACK)),
    ],
)
def test_zone_of_a_literal_host_is_the_number_of_its_interface(host, address):
    assert socket_address(host, 53) == address
    assert socket_address(literal_host(address), 53) == address


def test_interface_that_does_not_exist_is_an_error():
    with pytest.raises(OSError, match="interface"):
        socket_address("fe80::1%gone", 53)
    assert literal_host(("fe80::1", 53, 0, 99_999)) == "fe80::1%99999"
