"""Datagrams to the service manager."""

import socket

import pytest

from adc.control.notify import notify
from tests.kit.waiting import PATIENCE


@pytest.fixture
def manager(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(PATIENCE)
        yield sock


def test_lines_arrive_as_one_datagram(manager):
    assert notify("READY=1", "MAINPID=7", environ={"NOTIFY_SOCKET": manager.getsockname()})
    assert manager.recv(100) == b"READY=1\nMAINPID=7"


def test_an_at_sign_means_the_abstract_namespace():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0adc-test-notify")
        sock.settimeout(PATIENCE)
        assert notify("STOPPING=1", environ={"NOTIFY_SOCKET": "@adc-test-notify"})
        assert sock.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "relative"}])
def test_without_a_manager_nothing_is_sent(environ):
    assert not notify("READY=1", environ=environ)


def test_a_manager_that_has_gone_is_no_error(tmp_path):
    assert not notify("READY=1", environ={"NOTIFY_SOCKET": str(tmp_path / "gone")})


def test_a_manager_that_does_not_listen_holds_nothing_up(manager):
    environ = {"NOTIFY_SOCKET": manager.getsockname()}
    assert not all(notify("WATCHDOG=1", environ=environ) for _ in range(10_000))
