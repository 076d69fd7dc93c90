from __future__ import annotations

import pytest

from adc.http.networks import Networks, parse_address, plain_address

PRIVATE = Networks(["10.0.0.0/8", "192.168.1.0/24", "192.0.2.7", "2001:db8::/32", "::1"])


@pytest.mark.parametrize(
    "text",
    ["10.0.0.0", "10.255.255.255", "192.168.1.9", "192.0.2.7", "2001:db8:ffff::1", "::1", "::ffff:10.1.2.3"],
)
def test_addresses_inside(text: str) -> None:
    assert PRIVATE.contains(text)


@pytest.mark.parametrize(
    "text",
    ["11.0.0.0", "192.168.2.9", "192.0.2.8", "2001:db9::1", "::2", "::ffff:11.1.2.3", "::a00:1", "0.0.0.1"],
)
def test_addresses_outside(text: str) -> None:
    assert not PRIVATE.contains(text)


@pytest.mark.parametrize(
    "text", ["", "unix:", "10.0.0.1:80", "[::1]", "10.0.0", "010.0.0.1", "10.0.0.1 ", "x" * 100_000]
)
def test_invalid_address_is_outside(text: str) -> None:
    assert not PRIVATE.contains(text)
    assert not Networks(["0.0.0.0/0", "::/0"]).contains(text)


def test_everything_and_nothing() -> None:
    assert Networks(["0.0.0.0/0"]).contains("203.0.113.1")
    assert not Networks(["0.0.0.0/0"]).contains("::1")
    assert not Networks().contains("127.0.0.1")
    assert not Networks()
    assert Networks(["::1"])


def test_an_answer_does_not_change_when_asked_again_or_after_many_others() -> None:
    networks = Networks(["10.0.0.0/24"])
    for number in range(9000):
        networks.contains(f"10.1.{number // 256}.{number % 256}")
    assert len(networks._known) <= 8192
    assert [networks.contains("10.0.0.1") for _ in range(2)] == [True, True]
    assert [networks.contains("10.1.0.1") for _ in range(2)] == [False, False]


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "nonsense", ""])
def test_invalid_network_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"host bits|does not appear"):
        Networks([text])


@pytest.mark.parametrize("network", ["::ffff:203.0.113.0/120", "::ffff:0:0/96", "::ffff:203.0.113.7"])
def test_a_network_of_mapped_addresses_is_the_ipv4_network(network: str) -> None:
    assert Networks([network]).contains("203.0.113.7")
    assert Networks([network]).contains("::ffff:203.0.113.7")
    assert not Networks([network]).contains("2001:db8::7")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::FFFF:cb00:7107", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("::ffff:nonsense", "::ffff:nonsense"),
        ("unix", "unix"),
    ],
)
def test_a_mapped_address_is_told_as_ipv4(text: str, plain: str) -> None:
    assert plain_address(text) == plain


def test_a_zone_is_dropped_and_mapped_addresses_become_ipv4() -> None:
    assert str(parse_address("fe80::1%eth0")) == "fe80::1"
    assert str(parse_address("::ffff:192.0.2.7")) == "192.0.2.7"
