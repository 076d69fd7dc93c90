"""The watch of expired flows survives what the kernel and the machine do to it."""

import errno
import socket
import struct
from random import Random

import pytest

from adc.control import kernel_expiry
from adc.control.kernel_expiry import ExpiryWatch
from adc.sessions.conntrack import DELETE, about_ports
from tests.unit.sessions.test_conntrack import entry


class Wire:
    """Stands for a socket: what it receives, and what was sent on it."""

    def __init__(self, *received):
        self.received, self.sent = list(received), []

    def recv(self, size):
        data = self.received.pop(0) if self.received else BlockingIOError()
        if isinstance(data, Exception):
            raise data
        return data

    def sendto(self, packet, target):
        self.sent.append((packet, target))


def report(body, kind=DELETE):
    padded = body + b"\0" * (-len(body) % 4)
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + padded


@pytest.fixture
def watching():
    def watching(*received, told=lambda flow: True, ports=(80,)):
        watch = ExpiryWatch(told, Random(1))
        watch._wanted = about_ports(ports)
        watch._events, sender = Wire(*received), Wire()
        watch._senders = {socket.AF_INET: sender, socket.AF_INET6: sender}
        watch._read()
        return [target for _, target in sender.sent]

    return watching


def test_both_ends_of_a_flow_are_probed(watching):
    assert watching(report(entry())) == [("10.0.0.2", 0)] * 2 + [("10.0.1.1", 0)] * 2


def test_flow_to_another_port_is_not_even_read(watching, monkeypatch):
    monkeypatch.setattr(kernel_expiry, "parse", None)
    assert watching(report(entry()), ports=(81, 4001)) == []
    assert watching(report(entry()), ports=()) == []


def test_other_flows_protocols_and_messages_are_left_alone(watching):
    assert watching(report(entry()), told=lambda flow: False) == []
    assert watching(report(entry(protocol=17)), report(entry(), kind=0x100)) == []


def test_closed_flow_is_left_alone(watching):
    closed = entry().replace(b"\x05\0\x01\0\x03", b"\x05\0\x01\0\x07")
    assert closed != entry()
    assert watching(report(closed)) == []


@pytest.mark.parametrize(
    "trouble", [OSError(errno.ENOBUFS, "full"), b"\xff" * 40, report(b"\xff" * 40 + b"\6\0\3\0\0\x50")]
)
def test_trouble_is_logged_and_later_reports_are_read(watching, trouble, caplog):
    assert watching(trouble) == []
    assert "kernel_reset_not_sent" in caplog.text
    assert watching(report(entry())) != []


def test_one_iteration_handles_a_bounded_number_of_reports(watching):
    assert len(watching(*[report(entry())] * 100)) == 4 * kernel_expiry.MOST_AT_ONCE


def test_watch_without_the_right_for_raw_sockets_says_so_once(monkeypatch, caplog):
    def refuse(family):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(kernel_expiry, "_sender", refuse)
    watch = ExpiryWatch(lambda flow: True, Random(1))
    watch.open([80])
    watch.start()
    watch.close()
    assert caplog.text.count("kernel_reset_not_sent") == 1
