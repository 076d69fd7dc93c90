"""Sockets received at start, and which listener each of them serves."""

import os

import pytest

from adc.control import activation
from adc.control.activation import Inherited, claim, receive
from adc.control.addresses import Address
from adc.control.sockets import bind, key_of


@pytest.fixture
def listening():
    sock = bind(Address("tcp", "127.0.0.1", 0))
    yield sock
    sock.close()


def address_of(sock):
    return Address("tcp", *sock.getsockname())


def test_sockets_of_systemd_are_taken_with_their_names(listening, monkeypatch):
    descriptor = os.dup(listening.fileno())
    monkeypatch.setattr(activation, "FIRST_FD", descriptor)
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "web", "HOME": "/"}
    inherited = receive(environ)
    (sock,) = inherited.by_name["web"]
    with sock:
        assert sock.getsockname() == listening.getsockname()
        assert not sock.get_inheritable()
    assert environ == {"HOME": "/"}


@pytest.mark.parametrize("owner", ["1", "", "me"])
def test_sockets_meant_for_another_process_are_left_alone(owner):
    environ = {"LISTEN_PID": owner, "LISTEN_FDS": "1"}
    assert receive(environ).by_name == {}
    assert environ == {}


def test_sockets_of_the_old_binary_come_with_their_keys(listening):
    descriptor = os.dup(listening.fileno())
    reading, writing = os.pipe()
    environ = {"ADC_UPGRADE_FDS": f"{descriptor}=tcp:127.0.0.1:80", "ADC_UPGRADE_READY": str(writing)}
    inherited = receive(environ)
    assert inherited.upgrading
    with inherited.by_key["tcp:127.0.0.1:80"] as sock:
        assert sock.getsockname() == listening.getsockname()
    inherited.tell_ready()
    assert os.read(reading, 16) == b"ready\n"
    assert os.read(reading, 16) == b""
    os.close(reading)
    assert environ == {}


def test_a_received_socket_serves_the_listener_with_its_address(listening):
    layout = {"web": (address_of(listening),)}
    assert claim(Inherited(by_name={"": [listening]}), layout) == {key_of(listening): listening}


def test_a_received_socket_with_another_address_serves_the_listener_it_is_named_for(listening):
    web = Address("tcp", "0.0.0.0", 80)
    assert claim(Inherited(by_name={"web": [listening]}), {"web": (web,)}) == {web.key: listening}


def test_a_received_socket_nobody_wants_keeps_its_own_key(listening):
    web = Address("tcp", "0.0.0.0", 80)
    claimed = claim(Inherited(by_name={"other": [listening]}), {"web": (web,)})
    assert claimed == {key_of(listening): listening}


def test_two_sockets_of_one_listener_serve_two_addresses(listening):
    with bind(Address("tcp", "127.0.0.1", 0)) as other:
        layout = {"web": (Address("tcp", "0.0.0.0", 80), Address("tcp", "::", 80))}
        claimed = claim(Inherited(by_name={"web": [listening, other]}), layout)
        assert claimed == {"tcp:0.0.0.0:80": listening, "tcp:[::]:80": other}


def test_without_sockets_in_the_environment_there_are_none():
    assert not receive({"HOME": "/"}).upgrading
