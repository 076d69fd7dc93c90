"""Settings of the machine without which the kernel forwards nothing, or not all, are named with their command."""

import pytest

from adc.config import Config
from adc.control import kernel_services
from adc.control.kernel_services import MOST_FORMER, departed, unready
from adc.firewall.nftables.service import Service, Target

GOOD = {
    "net/ipv4/ip_forward": "1",
    "net/ipv6/conf/all/forwarding": "1",
    "net/ipv4/conf/all/route_localnet": "1",
    "net/netfilter/nf_conntrack_events": "2",
    "net/netfilter/nf_conntrack_tcp_loose": "1",
}


@pytest.fixture
def warnings(tmp_path, monkeypatch):
    """What is said of a listener, with settings that differ from the good ones; None for one that does not exist."""
    monkeypatch.setattr(kernel_services, "_SYSCTLS", tmp_path)
    monkeypatch.setattr(kernel_services, "unable", lambda: None)

    def warnings(settings=(), bind="192.0.2.1:5432", members=("10.0.0.1:5432",), protocol="tcp", **top):
        for name, value in (GOOD | dict(settings)).items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            if value is not None:
                file.write_text(f"{value}\n")
        listener = {"name": "db", "bind": bind, "protocol": protocol, "pool": "p", "datapath": "kernel"}
        pools = {"p": {"members": list(members)}}
        return [
            text
            for _, text in unready(Config.model_validate({"listeners": [listener], "pools": pools, **top}))
        ]

    return warnings


def test_machine_that_is_set_up_is_fine(warnings):
    assert warnings(members=["10.0.0.1:5432", "[2001:db8::1]:5432"]) == []
    assert warnings(dict.fromkeys(GOOD)) == []


@pytest.mark.parametrize(
    ("settings", "changes", "command"),
    [
        ({"net/ipv4/ip_forward": "0"}, {}, "sysctl -w net.ipv4.ip_forward=1"),
        (
            {"net/ipv6/conf/all/forwarding": "0"},
            {"members": ["[2001:db8::1]:5432"]},
            "sysctl -w net.ipv6.conf.all.forwarding=1",
        ),
        (
            {"net/ipv4/conf/all/route_localnet": "0"},
            {"bind": "127.0.0.1:5432"},
            "sysctl -w net.ipv4.conf.all.route_localnet=1",
        ),
        ({"net/netfilter/nf_conntrack_events": "0"}, {}, "sysctl -w net.netfilter.nf_conntrack_events=1"),
        (
            {"net/netfilter/nf_conntrack_tcp_loose": "0"},
            {"sessions": {"on_unknown": "accept"}},
            "sysctl -w net.netfilter.nf_conntrack_tcp_loose=1",
        ),
    ],
)
def test_setting_that_is_missing_is_named_with_its_command(warnings, settings, changes, command):
    (found,) = warnings(settings, **changes)
    assert found.endswith(f"run: {command}")


def test_ends_that_cannot_be_told_are_named_where_they_shall_be(warnings, monkeypatch):
    monkeypatch.setattr(kernel_services, "unable", lambda: "raw sockets need CAP_NET_RAW")
    (found,) = warnings()
    assert found == "ends of expired flows are not told until they send: raw sockets need CAP_NET_RAW"
    assert warnings(sessions={"on_expiry": "silent"}) == []
    assert warnings(protocol="udp") == []


def service(number):
    target = Target("10.0.0.1", number)
    return Service("db", "tcp", (("192.0.2.1", 5432),), (target,), (target,))


def test_former_services_are_kept_newest_first_and_bounded():
    former = ()
    for number in range(1, 100):
        former = departed((service(number),), former, (service(number + 1),))
    assert len(former) == MOST_FORMER
    assert former[0].members == service(99).members
    assert former[0].targets == ()
    assert departed((service(1),), (), (service(1),)) == ()
