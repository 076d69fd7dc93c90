"""`datapath: kernel` is refused for what only workers can do, with what the kernel can."""

import pytest

from adc.config import ConfigErrors

TEXT = """
listeners: [{{name: dns, bind: "{bind}", protocol: udp, pool: p, datapath: kernel{listener}}}]
pools: {{p: {{members: ["{member}"]{pool}}}}}
"""


def problems(loaded, *, bind="127.0.0.1:5353", member="10.0.0.1:53", listener="", pool=""):
    try:
        loaded(TEXT.format(bind=bind, member=member, listener=listener, pool=pool), listeners="")
    except ConfigErrors as errors:
        return "\n".join(map(str, errors.problems))
    return ""


@pytest.mark.parametrize("balance", ["round_robin", "random", "{consistent_hash: {key: source}}"])
def test_balancers_of_the_kernel_are_accepted(loaded, balance):
    assert problems(loaded, pool=f", balance: {balance}") == ""


@pytest.mark.parametrize(("engine", "seen"), [("userspace", False), ("nftables", True)])
def test_firewall_must_see_the_flows_of_the_kernel(loaded, engine, seen):
    found = problems(loaded, pool=f"}}}}\nfirewall: {{engine: {engine}, sets: {{a: 10.0.0.0/8")
    message = 'engine: userspace does not see the flows of "dns" (datapath: kernel); write engine: nftables'
    assert (message not in found) is seen


@pytest.mark.parametrize("bind", [":5353", "localhost:5353", "[::1]:5353"])
def test_members_of_one_version_serve_listeners_on_it_or_on_all(loaded, bind):
    assert problems(loaded, bind=bind, member="[2001:db8::1]:53") == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"pool": ", balance: least_connections"},
            "the kernel can only do round_robin, random, consistent_hash",
        ),
        (
            {"pool": ", balance: {consistent_hash: {key: source, bounded_load: true}}"},
            "the kernel can only do",
        ),
        ({"pool": ", slow_start: 10s"}, "pools.p.slow_start: has no effect with datapath: kernel"),
        (
            {"pool": ", limits: {connections_per_member: 5}"},
            "pools.p.limits.connections_per_member: has no effect with datapath: kernel",
        ),
        ({"member": "db.example.com:53"}, "the kernel needs the IP address of one host and a port"),
        ({"member": "[fe80::1%eth0]:53"}, "the IP address of one host"),
        ({"member": "[::ffff:10.0.0.1]:53"}, "the IP address of one host"),
        ({"member": "0.0.0.0:53"}, "the IP address of one host"),
        ({"member": "224.0.0.1:53"}, "the IP address of one host"),
        ({"member": "[2001:db8::1]:53"}, '"127.0.0.1:5353" is IPv4, and no member of "p" is'),
        ({"bind": "[::1]:5353"}, '"[::1]:5353" is IPv6, and no member of "p" is'),
        ({"bind": "[fe80::1%eth0]:5353"}, "datapath: kernel needs an IP address and a port"),
        ({"bind": "127.0.0.1:0"}, "datapath: kernel needs an IP address and a port"),
        ({"listener": ", limits: {connections: 5}"}, "limits: has no effect with datapath: kernel"),
    ],
)
def test_options_that_need_the_workers_are_refused(loaded, changes, message):
    assert message in problems(loaded, **changes)


@pytest.mark.parametrize(
    ("listener", "top", "said"),
    [
        (", sessions: {on_expiry: close}", "", "listeners[0].sessions.on_expiry: close acts like silent"),
        ("", "sessions: {on_expiry: close}", "sessions.on_expiry: close acts like silent"),
        (", sessions: {on_expiry: reset}", "sessions: {on_expiry: close}", None),
        ("", "", None),
    ],
)
def test_close_at_expiry_is_doubtful(loaded, listener, top, said):
    text = TEXT.replace("udp", "tcp").format(
        bind="127.0.0.1:5353", member="10.0.0.1:53", listener=listener, pool=""
    )
    found = [str(each) for each in loaded(f"{text}{top}\n", listeners="").lint]
    assert [f": {said}" in each for each in found] == ([True] if said else [])
