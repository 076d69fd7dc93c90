"""The kernel forwards flows to members: by their weights, without those that are down, and with flows kept."""

import socket
from collections import Counter

import pytest

from tests.kit import netns
from tests.wire.kernel.conftest import FAMILIES, PORT

pytestmark = netns.required


def ask(client, text=b"x"):
    """Send on a connection and return the member that replies."""
    client.sendall(text)
    return client.recv(100).split(b":")[0].decode()


def member_of(net, role="client", target=None):
    with net[role].connect(target or net.address("adc"), PORT) as client:
        return ask(client)


@pytest.mark.parametrize("source", ["own", "client"])
def test_new_flows_alternate_between_members(net, either, source):
    either.serve(listener={"datapath": {"engine": "kernel", "source": source}})
    assert Counter(member_of(net, target=either.host()) for _ in range(10)) == {"m1": 5, "m2": 5}


def test_weights_count(net, node):
    members = [{"address": node.address("m1"), "weight": 4}, {"address": node.address("m2"), "weight": 1}]
    node.serve(pool={"members": members})
    assert Counter(member_of(net) for _ in range(10)) == {"m1": 8, "m2": 2}


def test_hash_of_the_source_keeps_a_client_at_its_member(net, either):
    either.serve(pool={"balance": {"consistent_hash": {"key": "source"}}})
    assert len({member_of(net, target=either.host()) for _ in range(6)}) == 1


def test_programs_on_the_node_reach_the_members_too(net, either):
    either.serve()
    assert {member_of(net, "adc", either.host()) for _ in range(4)} == {"m1", "m2"}


def test_listener_on_all_addresses_reaches_members_of_the_version_of_the_client(net, node):
    members = [node.address("m1"), f"[{net.address6('m2')}]:{PORT}"]
    node.serve(listener={"bind": f":{PORT}"}, pool={"members": members})
    assert {member_of(net) for _ in range(3)} == {"m1"}
    assert {member_of(net, target=net.address6("adc")) for _ in range(3)} == {"m2"}
    node.serve(listener={"bind": f":{PORT}"}, pool={"members": members[:1]})
    with pytest.raises(ConnectionRefusedError):
        member_of(net, target=net.address6("adc"))


def test_flows_of_a_member_that_leaves_go_on_and_new_ones_go_elsewhere(net, node):
    node.serve()
    flows = [net.client.connect(net.address("adc"), PORT) for _ in range(2)]
    assert {ask(flow) for flow in flows} == {"m1", "m2"}
    for states in ({"m2": False}, {"m2": None}):
        node.stand(**states)
        assert {member_of(net) for _ in range(4)} == {"m1"}
        assert {ask(flow) for flow in flows} == {"m1", "m2"}
    node.stand(m2=True)
    assert {member_of(net) for _ in range(4)} == {"m1", "m2"}
    for flow in flows:
        flow.close()


@pytest.mark.parametrize("role", ["client", "adc"])
def test_connection_is_refused_while_no_member_serves(net, either, role):
    either.serve()
    either.stand(m1=False, m2=False)
    with pytest.raises(ConnectionRefusedError):
        member_of(net, role, either.host())


def datagrams(net, node):
    """A socket of a new client for the listener."""
    client = net.client.socket(FAMILIES[node.v6], socket.SOCK_DGRAM)
    client.settimeout(5)
    client.connect((node.host(), PORT))
    return client


def test_datagrams_go_to_one_member_per_client_port(net, either):
    either.serve(listener={"protocol": "udp"})
    seen = Counter()
    for _ in range(6):
        with datagrams(net, either) as client:
            replies = set()
            for _ in range(3):
                client.send(b"x")
                replies.add(client.recv(100))
            assert len(replies) == 1
            seen[replies.pop()] += 1
    assert seen == {b"m1:x": 3, b"m2:x": 3}


def test_datagram_without_a_member_is_refused(net, either):
    either.serve(listener={"protocol": "udp"})
    either.stand(m1=False, m2=False)
    with datagrams(net, either) as client:
        client.send(b"x")
        with pytest.raises(ConnectionRefusedError):
            client.recv(100)


def test_reload_keeps_flows_and_follows_the_new_pool(net, node):
    node.serve()
    with net.client.connect(net.address("adc"), PORT) as flow:
        first = ask(flow)
        node.serve(pool={"members": [node.address("m2")]})
        assert ask(flow) == first
        assert {member_of(net) for _ in range(3)} == {"m2"}


def test_other_tables_stay_as_they_are(net, node):
    other = (
        "add table inet other\nadd chain inet other c { type filter hook input priority 5; policy accept; }\n"
    )
    net.adc.run(("nft", "-f", "-"), other + "add rule inet other c tcp dport 7 counter drop\n")
    before = net.adc.run(("nft", "list", "table", "inet", "other"))
    node.serve()
    node.serve(pool={"members": [node.address("m2")]})
    assert "table inet adc_n1" in net.adc.run(("nft", "list", "tables"))
    assert net.adc.run(("nft", "list", "table", "inet", "other")) == before
    node.stop()
    assert net.adc.run(("nft", "list", "tables")) == "table inet other\n"
    assert net.adc.run(("nft", "list", "table", "inet", "other")) == before
    net.adc.run(("nft", "delete", "table", "inet", "other"))
