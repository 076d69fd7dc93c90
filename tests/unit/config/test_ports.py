import errno
import socket

import pytest

from adc.config import ports


def test_a_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = ports.refusal("127.0.0.1", server.getsockname()[1])
    assert found == (errno.EADDRINUSE, "is taken: something listens there already")


def test_free_ports_are_fine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert ports.refusal("127.0.0.1", port) is None
    assert ports.refusal("127.0.0.1", 0) is None


def test_an_address_of_another_machine_is_told() -> None:
    assert ports.refusal("192.0.2.1", 8080) == (errno.EADDRNOTAVAIL, "is not an address of this machine")


def test_a_port_that_needs_a_right_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "first_free_port", lambda: 1024)
    monkeypatch.setattr(ports, "may_bind_low", lambda: False)
    found = ports.refusal("0.0.0.0", 80)
    assert found is not None
    assert "needs a right" in found[1]


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("fe80::1:2:3%lo", "is not an address of this machine"),
        ("fe80::1%gone", "cannot be listened on: no interface with this name"),
    ],
)
def test_a_link_local_address_is_tried_on_its_interface(host: str, words: str) -> None:
    found = ports.refusal(host, 0, udp=True)
    assert found is not None
    assert found[1] == words
