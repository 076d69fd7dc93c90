"""Other programs and our table: what they change is noticed, said and undone; nothing else of them is touched."""

import threading

import pytest

from adc.control import kernel_table, nft
from adc.control.calls import CallRefused
from adc.control.nft import NftFailed
from tests.kit import netns
from tests.kit.waiting import PATIENCE
from tests.wire.kernel.conftest import PORT
from tests.wire.kernel.test_datapath import ask, member_of
from tests.wire.kernel.test_rules import settled

pytestmark = netns.required

CHANGES = (
    "flush ruleset",
    "delete table inet adc_n1",
    "flush table inet adc_n1",
    "flush chain inet adc_n1 arrive",
    "flush map inet adc_n1 members_of_db_4",
    "insert rule inet adc_n1 enter_db drop",
    "add chain inet adc_n1 more",
)


def run(net, *lines):
    net.adc.run(("nft", "-f", "-"), "\n".join(lines) + "\n")


@pytest.fixture(autouse=True)
def logged(caplog):
    caplog.set_level("INFO")


@pytest.fixture
def applied(monkeypatch):
    """The texts that were given to nft."""
    texts = []
    apply = nft.apply
    monkeypatch.setattr(nft, "apply", lambda text: (texts.append(text), apply(text)))
    return texts


@pytest.mark.parametrize("change", CHANGES)
def test_change_by_another_program_is_logged_and_undone_once(net, node, applied, caplog, change):
    node.serve()
    with net.client.connect(net.address("adc"), PORT) as flow:
        member = ask(flow)
        run(net, change)
        node.follow()
        assert ask(flow) == member
    assert {member_of(net) for _ in range(4)} == {"m1", "m2"}
    assert caplog.messages == ["kernel_rules_changed table=adc_n1", "kernel_rules_restored"]
    count = len(applied)
    node.follow()
    assert len(applied) == count


def test_change_is_undone_by_a_change_of_members_too(net, node, caplog):
    node.serve()
    run(net, "flush chain inet adc_n1 arrive")
    node.stand(m2=False)
    assert "kernel_rules_changed" in caplog.text
    assert "jump enter_db" in net.adc.run(("nft", "list", "chain", "inet", "adc_n1", "arrive"))
    assert {member_of(net) for _ in range(4)} == {"m1"}


def test_changes_of_other_tables_change_nothing_here(net, node, applied, caplog):
    node.serve()
    count = len(applied)
    run(net, "add table inet other", "add chain inet other c")
    node.follow()
    run(net, "delete table inet other")
    node.follow()
    assert (len(applied), caplog.messages) == (count, [])


def test_counters_and_dynamic_elements_are_no_change(net, node, applied):
    rules = [{"name": "few", "action": "count", "over": {"new_connections": "1/h"}}]
    node.serve(firewall={"engine": "nftables", "rules": rules})
    count = len(applied)
    assert {member_of(net) for _ in range(4)} == {"m1", "m2"}
    run(net, "add table inet other", "delete table inet other")
    node.follow()
    assert len(applied) == count


OTHERS = (
    "add table ip other",
    "add set ip other s { type ipv4_addr; flags interval; elements = { 192.0.2.0/24, 198.51.100.7 } }",
    "add counter ip other n",
    "add chain ip other c { type filter hook input priority 5; policy accept; }",
    'add rule ip other c ip saddr @s tcp dport 7 counter name n drop comment "kept"',
    "add table inet adc_n",
    "add chain inet adc_n enter_db",
    "add table bridge other",
    "add chain bridge other c { type filter hook forward priority 0; policy accept; }",
)


def test_other_tables_stay_byte_for_byte(net, node, tmp_path):
    run(net, *OTHERS)
    try:
        before = net.adc.run(("nft", "-a", "list", "ruleset"))
        file = tmp_path / "bad.txt"
        file.write_text("192.0.2.0/24\n")
        firewall = {"engine": "nftables", "sets": {"bad": {"file": str(file)}}, "remove_on_exit": True}
        node.serve(firewall=firewall)
        node.stand(m1=False)
        file.write_text("192.0.2.0/25\n")
        node.follow()
        node.follow()
        run(net, "flush table inet adc_n1")
        node.follow()
        node.serve(node="n2")
        node.stop()
        assert net.adc.run(("nft", "-a", "list", "ruleset")) == before
    finally:
        run(net, "delete table ip other", "delete table inet adc_n", "delete table bridge other")


LEFTOVERS = (
    ("add set inet adc_n1 all_of_db_4 { type ipv4_addr; }",),
    ("add chain inet adc_n1 arrive { type filter hook input priority 7; policy drop; }",),
    ("add map inet adc_n1 members_of_db_4 { type ipv4_addr : verdict; }",),
    ("add chain inet adc_n1 x", "add chain inet adc_n1 enter_db", "add rule inet adc_n1 x jump enter_db"),
)


@pytest.mark.parametrize("leftover", LEFTOVERS)
def test_leftover_table_of_another_shape_is_replaced(net, node, leftover):
    run(net, "add table inet adc_n1", *leftover)
    config = node.config()
    node.run(node.table.check(config))
    node.serve(config)
    assert {member_of(net) for _ in range(4)} == {"m1", "m2"}


def test_rules_stay_as_they_were_without_nft(net, node, monkeypatch):
    node.serve()
    with monkeypatch.context() as patch:
        patch.setattr(nft, "_PATH", "")
        with pytest.raises(NftFailed, match="install the package nftables"):
            node.stand(m1=False)
        with pytest.raises(CallRefused, match="kernel rules: there is no program nft"):
            node.serve(pool={"members": [node.address("m2")]})
        assert {member_of(net) for _ in range(4)} == {"m1", "m2"}
    node.follow()
    node.run(node.table.update())
    assert {member_of(net) for _ in range(4)} == {"m2"}
    assert len(listed_members(net)) == 2


def listed_members(net):
    """The members of the configuration in force, as the set of all of them says."""
    listing = net.adc.run(("nft", "list", "set", "inet", "adc_n1", "all_of_db_4"))
    return [address for address in (net.address("m1"), net.address("m2")) if address in listing]


def test_rules_that_nobody_needs_go_once_nft_is_back(net, node, monkeypatch, caplog):
    rules = [{"action": "drop", "port": 8080}]
    settings = node.config(
        listener={"datapath": "userspace"}, firewall={"engine": "nftables", "rules": rules}
    )
    node.serve(settings)
    node.watch()
    with monkeypatch.context() as patch:
        patch.setattr(nft, "_PATH", "")
        node.run(node.table.let_go(node.config(listener={"datapath": "userspace"})))
        assert "kernel_rules_failed" in caplog.text
        assert "do_rule" in net.adc.run(("nft", "list", "table", "inet", "adc_n1"))
    assert (
        settled(lambda: "do_rule" in net.adc.run(("nft", "list", "table", "inet", "adc_n1")), False) is False
    )


def test_health_that_could_not_be_applied_is_applied_later(net, node, monkeypatch, caplog):
    node.serve()
    path = nft._PATH
    monkeypatch.setattr(nft, "_PATH", "")
    node.states["m1"] = (False, True)
    node.change_members()
    assert settled(lambda: "kernel_rules_failed" in caplog.text, True)
    monkeypatch.setattr(nft, "_PATH", path)
    chain = ("nft", "list", "map", "inet", "adc_n1", "members_of_db_4")
    assert settled(lambda: net.address("m1") in net.adc.run(chain), False) is False
    assert {member_of(net) for _ in range(4)} == {"m2"}


def test_failure_that_goes_on_is_logged_once_and_anything_unforeseen_too(net, node, monkeypatch, caplog):
    failures = iter([NftFailed("no"), NftFailed("no"), ZeroDivisionError(), NftFailed("no")])
    done = threading.Event()

    async def fail():
        failure = next(failures, None)
        if failure is None:
            done.set()
        else:
            raise failure

    monkeypatch.setattr(kernel_table, "PERIOD", 0.001)
    node.serve()
    monkeypatch.setattr(node.table, "follow", fail)
    node.watch()
    assert done.wait(PATIENCE)
    details = [message.partition("detail=")[2] for message in caplog.messages]
    assert details == ["no", "ZeroDivisionError()"]


def test_paused_table_is_left_to_the_other_binary(net, node, applied):
    node.serve()
    node.run(node.table.pause())
    run(net, "flush chain inet adc_n1 arrive")
    count = len(applied)
    node.follow()
    node.stand(m1=False)
    assert len(applied) == count
    node.table.resume()
    node.follow()
    assert {member_of(net) for _ in range(4)} == {"m2"}
