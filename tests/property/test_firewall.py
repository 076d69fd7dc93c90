"""The firewall against a naive reference, on random rules and packets."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from hypothesis import example, given
from hypothesis import strategies as st

from adc.firewall.buckets import Buckets
from adc.firewall.filter import DEFAULT, ESTABLISHED, UNFILTERED, Filter
from adc.firewall.packet import Packet
from adc.firewall.prefixes import Prefixes, range_of
from adc.firewall.rule import Rule
from adc.firewall.set_text import plain_range
from adc.runtime.assembly.firewall_lint import covers

NETWORKS = ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32", "0.0.0.0/1", "2001:db8::/32", "::/0")
ADDRESSES = ("10.0.0.1", "10.1.2.3", "10.1.2.4", "10.255.0.0", "11.0.0.0", "200.0.0.1")
ADDRESSES6 = ("2001:db8::1", "2001:db9::1", "::1")

ports = st.integers(1, 12)
port_ranges = st.lists(st.tuples(ports, ports).map(lambda pair: (min(pair), max(pair))), max_size=2).map(
    tuple
)
words = st.sampled_from
some = {"max_size": 2}


def subset(*names: str) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(words(names), max_size=2)


sets = st.fixed_dictionaries({name: st.lists(words(NETWORKS), max_size=3) for name in ("a", "b")})
set_names = st.lists(words(("a", "b")), max_size=2).map(tuple)
rule_bodies = st.builds(
    lambda action, state, **rest: {"action": action, "state": state or frozenset({"new"}), **rest},
    action=words(("accept", "drop", "reject", "count")),
    source=set_names,
    destination=set_names,
    port=port_ranges,
    source_port=port_ranges,
    protocol=subset("tcp", "udp", "icmp"),
    state=subset("new", "established", "invalid"),
    interface=subset("eth0", "eth1"),
    listener=subset("web", "dns"),
)


@st.composite
def packets(draw):
    family = draw(words((ADDRESSES, ADDRESSES6)))
    return Packet(
        draw(words(("tcp", "udp", "icmp"))),
        ip_address(draw(words(family))),
        draw(ports),
        ip_address(draw(words(family))),
        draw(ports),
        draw(words(("new", "established", "related", "invalid"))),
        draw(words(("", "eth0", "eth1"))),
        draw(words(("", "web", "dns"))),
    )


def matches(rule: Rule, packet: Packet, written: dict[str, list[str]]) -> bool:
    """Decide as the documentation says it: word by word, network by network."""

    def within(address, names):
        return not names or any(address in ip_network(text) for name in names for text in written[name])

    def in_ranges(port, ranges):
        return not ranges or any(port in range(first, last + 1) for first, last in ranges)

    return (
        packet.state in rule.state
        and packet.protocol in (rule.protocol or {"tcp", "udp"})
        and (not rule.interface or packet.interface in rule.interface)
        and (not rule.listener or packet.listener in rule.listener)
        and within(packet.source, rule.source)
        and within(packet.destination, rule.destination)
        and in_ranges(packet.port, rule.port)
        and in_ranges(packet.source_port, rule.source_port)
    )


def filter_of(bodies, written, default="accept"):
    rules = [Rule(name=f"r{number}", **body) for number, body in enumerate(bodies)]
    return Filter(rules, default, {name: Prefixes(map(ip_network, each)) for name, each in written.items()})


@given(st.lists(rule_bodies, max_size=6), sets, words(("accept", "drop", "reject")), packets())
def test_filter_decides_as_a_naive_reference(bodies, written, default, packet):
    rules = filter_of(bodies, written, default)
    expected = UNFILTERED if packet.protocol == "icmp" else DEFAULT
    if packet.state in ("established", "related"):
        expected = ESTABLISHED
    for rule in rules.rules:
        if rule.action != "count" and matches(rule, packet, written):
            expected = rule.name
            break
    decision = rules.decide(packet, 0.0, 0.0)
    assert decision.name == expected
    assert rules.explain(packet, 0.0)[1] == decision


@given(st.lists(words(NETWORKS)), st.sampled_from(ADDRESSES + ADDRESSES6))
def test_prefixes_contain_what_any_network_contains(written, address):
    found = Prefixes(map(ip_network, written))
    assert (ip_address(address) in found) is any(ip_address(address) in ip_network(text) for text in written)


@given(st.tuples(rule_bodies, rule_bodies), sets, packets())
def test_a_rule_that_covers_another_matches_all_its_packets(bodies, written, packet):
    rules = filter_of(bodies, written)
    wide, narrow = rules.rules
    if covers(wide, narrow, rules.sets) and matches(narrow, packet, written):
        assert matches(wide, packet, written)


@given(
    st.integers(1, 20), st.integers(1, 8), st.lists(st.floats(0, 0.5).map(lambda x: round(x, 2)), max_size=60)
)
@example(10, 1, [0.0, 0.0, 0.1])
def test_buckets_count_as_token_buckets(rate, burst, pauses):
    buckets, tokens, now, filled = Buckets(), float(burst), 100.0, 100.0
    for pause in pauses:
        now += pause
        tokens, filled = min(float(burst), tokens + (now - filled) * rate), now
        over = buckets.over(b"k", 1 / rate, burst, now)
        if abs(tokens - round(tokens)) > 1e-4 or tokens in (0.0, float(burst)):
            assert over is (tokens < 1.0)
        if not over:
            tokens -= 1.0


digits = st.integers(0, 300).map(str) | st.sampled_from(["01", "", "+1", " 1"])
groups = st.text("0123456789abcdefABCDEF:", min_size=1, max_size=20) | st.ip_addresses(v=6).map(str)
lengths = (
    st.just("")
    | st.integers(0, 140).map("/{}".format)
    | st.sampled_from(["/", "/08", "/255.0.0.0", "/-1", "/1x"])
)
quads = st.tuples(digits, digits, digits, digits).map(".".join) | st.ip_addresses(v=4).map(str)
zeros = st.integers(0, 32).map(lambda length: str(ip_network(f"192.168.255.255/{length}", strict=False)))
zeros6 = st.integers(0, 128).map(
    lambda length: str(ip_network(f"::ffff:10.255.255.255/{length}", strict=False))
)


@given((st.tuples(quads | groups, lengths).map("".join)) | zeros | zeros6)
@example("::ffff:1.2.3.4")
@example("::ffff:0:0/96")
@example("::/0")
def test_a_network_read_fast_is_the_one_that_the_library_reads(word):
    fast = plain_range(word.encode())
    try:
        network = ip_network(word)
    except ValueError:
        assert fast is None
        return
    assert fast is None or fast == range_of(network)
