"""Networks as sorted ranges."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

import pytest
from adc_plugins.ip_access.ranges import Ranges, packed, parse_list, parse_network
from hypothesis import given
from hypothesis import strategies as st


@st.composite
def networks(draw: Any) -> Any:
    bits, kind = draw(st.sampled_from([(32, IPv4Network), (128, IPv6Network)]))
    length = draw(st.integers(0, bits))
    number = draw(st.integers(0, (1 << bits) - 1)) >> (bits - length) << (bits - length)
    return kind((number, length))


@given(st.lists(networks(), max_size=8))
def test_ranges_agree_with_ipaddress(listed: Any) -> None:
    ranges = Ranges(parse_network(str(network)) for network in listed)
    edges = [ip_address("192.0.2.1"), ip_address("2001:db8::1")]
    for network in listed:
        edges += [network[0], network[-1]]
        edges += [network[0] - 1] if int(network[0]) else []
        edges += [network[-1] + 1] if int(network[-1]) + 1 < 1 << network.max_prefixlen else []
    for address in edges:
        number = packed(str(address))
        assert number is not None
        if len(number) == address.max_prefixlen // 8:  # not an IPv4 address mapped into IPv6
            assert ranges.contains(number) is any(address in network for network in listed)


def test_neighbours_and_duplicates_become_one_range() -> None:
    written = ["10.0.0.0/9", "10.128.0.0/9", "10.1.2.3", "10.0.0.0/8"]
    assert len(Ranges(map(parse_network, written))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10.0.0",
        "10.0.0.0/33",
        "::/129",
        "10.0.0.0/-1",
        "10.0.0.0/8 x",
        "a",
        "1.2.3.4/",
        "\u0663.1.1.1",
        "1" * 99,
    ],
)
def test_other_text_is_no_network(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a network|bad prefix"):
        parse_network(text)


def test_ipv4_mapped_into_ipv6_is_ipv4() -> None:
    ranges = Ranges([parse_network("::ffff:10.0.0.0/104")])
    for text in ("10.1.2.3", "::ffff:10.1.2.3"):
        number = packed(text)
        assert number is not None
        assert ranges.contains(number)
    assert packed("fe80::1%eth0") == packed("fe80::1")
    assert packed("unix") is None


def test_list_has_comments_and_errors_have_a_line() -> None:
    lines = ["# list\n", "\n", "10.0.0.0/8 ; SBL1\n", "192.0.2.7 # one\n"]
    assert len(Ranges(parse_list(lines))) == 2
    with pytest.raises(ValueError, match="line 5: 'nonsense' is not a network"):
        Ranges(parse_list([*lines, "nonsense\n"]))
