import socket
from collections.abc import Callable

import pytest

from adc.config import Loaded, ports

Load = Callable[..., Loaded]


def test_a_taken_port_is_told_at_its_place(loaded: Load) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        found = loaded("admin: false\n", listeners=f"listeners: [{{bind: '{address}'}}]\n").lint_ports()
    assert [(str(problem.mark).split(":")[1:], problem.message) for problem in found] == [
        (["2", "20"], f"{address} is taken: something listens there already")
    ]


def test_free_ports_are_fine(loaded: Load) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    listeners = f"listeners: [{{bind: ['127.0.0.1:{port}', '127.0.0.1:0', 'unix:/nowhere/x']}}]\n"
    assert loaded("admin: false\n", listeners=listeners).lint_ports() == ()


def test_an_address_of_another_machine_is_told(loaded: Load) -> None:
    found = loaded("admin: false\n", listeners="listeners: [{bind: '192.0.2.1:8080'}]\n").lint_ports()
    assert [problem.message for problem in found] == ["192.0.2.1:8080 is not an address of this machine"]


def test_a_port_that_needs_a_right_is_told(loaded: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "first_free_port", lambda: 1024)
    monkeypatch.setattr(ports, "may_bind_low", lambda: False)
    found = loaded("admin: false\n", listeners="listeners: [{bind: ':80'}]\n").lint_ports()
    assert "port 80 needs a right" in found[0].message
