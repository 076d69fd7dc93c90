"""Listening sockets: bound once, kept over reloads, clear words when it cannot be."""

import os
import socket
from pathlib import Path

import pytest

from adc.control.addresses import Address
from adc.control.sockets import BindError, ListeningSockets, bind, key_of
from tests.kit.ports import free_port


@pytest.fixture
def sockets():
    sockets = ListeningSockets()
    yield sockets
    sockets.close()


def any_port(owner):
    return Address("tcp", "127.0.0.1", 0, owner)


def connects(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_a_kept_address_keeps_its_very_socket_over_a_reload(sockets):
    web, api = any_port("web"), any_port("api")
    sockets.prepare({"web": (web,)})
    sockets.commit()
    before = sockets.open()[web.key]
    sockets.prepare({"renamed": (web,), "api": (api,)})
    sockets.commit()
    assert sockets.of("renamed")[web.key] is before
    assert set(sockets.open()) == {web.key, api.key}


def test_an_address_no_longer_named_is_closed_at_the_commit_and_not_before(sockets):
    web, api = any_port("web"), any_port("api")
    sockets.prepare({"web": (web,), "api": (api,)})
    sockets.commit()
    port = sockets.open()[api.key].getsockname()[1]
    sockets.prepare({"web": (web,)})
    assert connects(port)
    sockets.commit()
    assert not connects(port)


def test_a_rollback_closes_what_was_new_and_keeps_the_rest(sockets):
    web, api = any_port("web"), any_port("api")
    sockets.prepare({"web": (web,)})
    sockets.commit()
    plan = sockets.prepare({"api": (api,)})
    port = plan.sockets[api.key].getsockname()[1]
    sockets.rollback()
    assert not connects(port)
    assert set(sockets.open()) == {web.key}
    assert set(sockets.of("web")) == {web.key}


def test_a_taken_port_is_named_and_nothing_else_stays_bound(sockets):
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        layout = {
            "web": (Address("tcp", "127.0.0.1", port),),
            "api": (Address("tcp", "127.0.0.1", taken.getsockname()[1]),),
        }
        with pytest.raises(BindError, match=rf"tcp:127\.0\.0\.1:{taken.getsockname()[1]}: .*taken"):
            sockets.prepare(layout)
    assert not connects(port)


def test_a_foreign_address_is_told_apart_from_a_taken_one():
    with pytest.raises(BindError, match="no interface of this machine"):
        bind(Address("tcp", "192.0.2.1", 8080))


def test_a_privileged_port_tells_what_right_is_missing(monkeypatch):
    def refuse(self, address):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(BindError, match=r"port 80 is privileged: .*CAP_NET_BIND_SERVICE"):
        bind(Address("tcp", "127.0.0.1", 80))


def test_two_listeners_that_ask_for_any_port_get_one_each(sockets):
    plan = sockets.prepare({"a": (any_port("a"),), "b": (any_port("b"),)})
    assert len({sock.getsockname() for sock in plan.sockets.values()}) == 2


def test_a_stale_unix_socket_is_replaced_and_removed_at_the_end(tmp_path):
    path = str(tmp_path / "web.sock")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    sockets = ListeningSockets()
    sockets.prepare({"web": (Address("unix", path),)})
    sockets.commit()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    sockets.close()
    assert not os.path.exists(path)


def test_a_unix_socket_handed_over_keeps_its_file(tmp_path):
    path = str(tmp_path / "web.sock")
    sockets = ListeningSockets()
    sockets.prepare({"web": (Address("unix", path),)})
    sockets.commit()
    sockets.close(handed_over=True)
    assert os.path.exists(path)


def test_a_unix_socket_in_use_is_not_stolen(tmp_path):
    path = str(tmp_path / "web.sock")
    with bind(Address("unix", path)), pytest.raises(BindError, match="taken by another process"):
        bind(Address("unix", path))


def test_a_file_that_is_no_socket_is_never_removed(tmp_path):
    path = Path(tmp_path / "notes")
    path.write_text("keep me")
    with pytest.raises(BindError, match="no socket"):
        bind(Address("unix", str(path)))
    assert path.read_text() == "keep me"


def test_an_inherited_socket_is_used_instead_of_a_new_one():
    inherited = bind(Address("tcp", "127.0.0.1", 0))
    key = key_of(inherited)
    sockets = ListeningSockets({key: inherited})
    sockets.prepare({"web": (Address("tcp", *inherited.getsockname()),)})
    sockets.commit()
    assert sockets.open()[key] is inherited
    assert sockets.drop_inherited() == []
    sockets.close()


def test_an_inherited_socket_survives_a_rollback_until_it_is_dropped():
    inherited = bind(Address("tcp", "127.0.0.1", 0))
    key, address = key_of(inherited), inherited.getsockname()
    sockets = ListeningSockets({key: inherited})
    sockets.prepare({"web": (Address("tcp", *address),)})
    sockets.rollback()
    assert connects(address[1])
    assert sockets.drop_inherited() == [key]
    assert not connects(address[1])


@pytest.mark.parametrize(
    ("address", "key"),
    [
        (Address("tcp", "127.0.0.1", 80), "tcp:127.0.0.1:80"),
        (Address("udp", "::1", 53), "udp:[::1]:53"),
        (Address("unix", "/run/a.sock"), "unix:/run/a.sock"),
    ],
)
def test_keys_name_an_address(address, key):
    assert address.key == key
