"""Flows that the kernel forwards over reloads and at the end: new ones stop at once, open ones go on for the grace."""

import threading

import pytest

from tests.kit import netns
from tests.wire.kernel.conftest import PORT
from tests.wire.kernel.test_datapath import ask, datagrams, member_of
from tests.wire.kernel.test_expiry import Pair, is_told
from tests.wire.kernel.test_flows import listed

pytestmark = netns.required


class Draining(threading.Thread):
    """Drains and closes the node, as the end of the service does."""

    def __init__(self, node, grace):
        super().__init__()
        self.node, self.grace = node, grace
        self.start()

    def run(self):
        self.node.run(self.node.table.drain(self.grace))
        self.node.stop()


def refuses(net):
    try:
        member_of(net)
    except ConnectionRefusedError:
        return True
    return False


def test_new_flows_stop_at_once_and_open_ones_end_with_their_application(net, node):
    with Pair(net, node) as flow:
        node.run(node.table.drain(0))
        assert refuses(net)
        draining = Draining(node, 15)
        node.states["m1"] = (True, True)
        node.run(node.table.update())
        assert refuses(net)
        flow.near.sendall(b"still")
        assert flow.far.recv(10) == b"still"
        assert draining.is_alive()
        flow.close()
        draining.join(10)
        assert not draining.is_alive()


@pytest.mark.parametrize(("on_expiry", "told"), [("reset", True), ("silent", False)])
def test_flows_that_outlive_the_grace_end_as_configured(net, node, on_expiry, told):
    with Pair(net, node, sessions={"on_expiry": on_expiry}) as flow:
        Draining(node, 0.1).join(10)
        assert is_told(flow.near) is told
        assert is_told(flow.far) is told
        assert "adc_n1" not in net.adc.run(("nft", "list", "tables"))


def test_datagrams_of_open_sessions_go_on_while_new_ones_are_refused(net, either):
    either.serve(listener={"protocol": "udp"})
    either.watch()
    with datagrams(net, either) as client, datagrams(net, either) as late:
        client.send(b"x")
        member = client.recv(100)
        either.run(either.table.drain(0))
        late.send(b"x")
        with pytest.raises(ConnectionRefusedError):
            late.recv(100)
        client.send(b"x")
        assert client.recv(100) == member
        either.stop()
        client.send(b"x")
        with pytest.raises(ConnectionRefusedError):
            client.recv(100)


def test_nothing_is_waited_for_without_open_flows(net, node):
    with Pair(net, node) as flow:
        flow.near.close()
        assert flow.far.recv(10) == b""
        flow.far.close()
        Draining(node, 30).join(5)
        assert refuses(net)


@pytest.mark.parametrize("change", ["times", "listener"])
def test_open_flow_keeps_its_time_over_a_reload(net, node, change):
    with Pair(net, node, sessions={"timeouts": {"tcp": "77s"}}) as flow:
        changes = {
            "times": flow.changes | {"sessions": {"timeouts": {"tcp": "99s"}}},
            "listener": {"listener": {"bind": f"{node.host()}:{PORT + 7}"}},
        }
        node.serve(**changes[change])
        for one, other in ((flow.near, flow.far), (flow.far, flow.near)):
            one.sendall(b"still")
            assert other.recv(10) == b"still"
        (left,) = (
            int(line.split()[2]) for line in entries_of(net) if f"sport={flow.near.getsockname()[1]} " in line
        )
        assert 70 < left <= 77


def entries_of(net):
    return net.adc.run(("conntrack", "-L", "-p", "tcp")).splitlines()


def test_listener_that_a_reload_removes_refuses_new_flows_and_keeps_its_own(net, node):
    node.serve()
    node.watch()
    with net.client.connect(net.address("adc"), PORT) as flow:
        member = ask(flow)
        node.serve(listener={"bind": f"{node.host()}:{PORT + 7}"})
        assert refuses(net)
        assert ask(flow) == member
        assert [row.state for row in listed(net, node)] == ["established"]


def test_service_without_forwarding_drains_at_once(net, node):
    node.serve(node.config(listener={"datapath": "userspace"}))
    Draining(node, 30).join(5)
    assert "adc_n1" not in net.adc.run(("nft", "list", "tables"))
