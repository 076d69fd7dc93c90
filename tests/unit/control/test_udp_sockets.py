"""UDP sockets: one for each worker slot, kept so that each client's datagrams go on reaching the same worker."""

import socket

import pytest

from adc.config.model import address as model
from adc.control.activation import Inherited, claim
from adc.control.addresses import Address
from adc.control.settings import addresses_of
from adc.control.sockets import BindError, ListeningSockets, bind
from adc.control.udp_sockets import slots_of

CLIENTS = 64


@pytest.fixture
def sockets():
    sockets = ListeningSockets()
    yield sockets
    sockets.close()


@pytest.fixture
def clients():
    found = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(CLIENTS)]
    for client in found:
        client.bind(("127.0.0.1", 0))
    yield found
    for client in found:
        client.close()


def layout(workers, owner="dns"):
    return {owner: slots_of(Address("udp", "127.0.0.1", 0, owner), workers)}


def receivers(plan, clients):
    """Return the key of the socket that gets each client's datagrams."""
    port = next(iter(plan.sockets.values())).getsockname()[1]
    for client in clients:
        client.sendto(b"?", ("127.0.0.1", port))
    found = {}
    for key, sock in plan.sockets.items():
        while True:
            try:
                found[sock.recvfrom(10)[1]] = key
            except BlockingIOError:
                break
    return [found[client.getsockname()] for client in clients]


def prepared(sockets, workers, owner="dns"):
    plan = sockets.prepare(layout(workers, owner))
    sockets.commit()
    return plan


def test_each_worker_gets_the_socket_of_its_slot_only(sockets):
    plan = sockets.prepare(layout(3) | {"web": (Address("tcp", "127.0.0.1", 0, "web"),)})
    sockets.commit()
    first, second = (sockets.open()[key] for key in plan.listeners["dns"][:2])
    assert first.getsockname() == second.getsockname()
    plan = type(plan)(plan.listeners, plan.sockets, workers=3)
    for worker in range(3):
        mine = plan.of_worker(worker)
        assert mine.listeners["dns"] == (plan.listeners["dns"][worker],)
        assert mine.listeners["web"] == plan.listeners["web"]
        assert len(mine.sockets) == 2


def test_clients_are_spread_and_stay_over_reloads(sockets, clients):
    before = receivers(prepared(sockets, 4), clients)
    assert len(set(before)) > 1
    assert receivers(prepared(sockets, 4), clients) == before


@pytest.mark.parametrize("fewer", [0, 1, 3])
def test_clients_stay_with_their_socket_when_workers_become_fewer(sockets, clients, fewer):
    before = receivers(prepared(sockets, 4), clients)
    plan = prepared(sockets, fewer)
    assert receivers(plan, clients) == before
    workers = max(1, fewer)
    plan = type(plan)(plan.listeners, plan.sockets, workers)
    shared = [key for worker in range(workers) for key in plan.of_worker(worker).sockets]
    assert sorted(shared) == sorted(plan.sockets)


def test_more_workers_get_more_sockets_of_the_same_port(sockets, clients):
    prepared(sockets, 1)
    plan = prepared(sockets, 3)
    assert len({sock.getsockname() for sock in plan.sockets.values()}) == 1
    assert len(set(receivers(plan, clients))) == 3


def test_the_next_binary_continues_with_all_slots(sockets, clients):
    before = receivers(prepared(sockets, 4), clients)
    inherited = {key: sock.dup() for key, sock in sockets.open().items()}
    successor = ListeningSockets(claim(Inherited(by_key=inherited), layout(2)))
    plan = prepared(successor, 2)
    sockets.close(handed_over=True)
    assert receivers(plan, clients) == before
    assert successor.drop_inherited() == []
    successor.close()


def test_an_address_of_another_process_is_refused_although_it_shares_its_port(sockets):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        address = Address("udp", *other.getsockname())
        with pytest.raises(BindError, match=r"taken by another process \(`ss -lunp`"):
            sockets.prepare({"dns": slots_of(address, 2)})


def test_a_socket_of_systemd_is_slot_0_and_the_other_slots_are_bound_beside_it(sockets, clients):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs:
        theirs.bind(("127.0.0.1", 0))
        address = Address("udp", *theirs.getsockname())
        wanted = {"dns": slots_of(address, 3)}
        served = ListeningSockets(claim(Inherited(by_name={"dns": [theirs.dup()]}), wanted))
        plan = served.prepare(wanted)
        served.commit()
    assert len(set(receivers(plan, clients))) == 3
    served.close()


def test_several_sockets_of_systemd_for_one_address_are_its_slots():
    first = bind(Address("udp", "127.0.0.1", 0))
    address = Address("udp", *first.getsockname())
    second = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    second.bind(first.getsockname())
    claimed = claim(Inherited(by_name={"dns": [first, second]}), {"dns": slots_of(address, 2)})
    assert claimed == {address.key: first, f"{address.key}#1": second}
    first.close()
    second.close()


def test_an_address_that_another_user_bound_is_served_by_the_first_worker_alone(sockets, monkeypatch):
    def refused(address, first):
        raise OSError(98, "Address already in use")

    address = Address("udp", "127.0.0.1", 0, "dns")
    sockets.prepare({"dns": slots_of(address, 1)})
    sockets.commit()
    monkeypatch.setattr("adc.control.sockets.bind_udp", refused)
    plan = sockets.prepare({"dns": slots_of(address, 2)})
    sockets.commit()
    assert plan.listeners["dns"] == (address.key,)


def test_link_local_addresses_keep_their_interface():
    written = model.Address("[fe80::1%lo]:53", "fe80::1%lo", 53)
    [address] = addresses_of([written], "dns", "udp")
    assert address.host == "fe80::1%lo"
