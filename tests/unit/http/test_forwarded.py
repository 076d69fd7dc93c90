from __future__ import annotations

import pytest

from adc.http.forwarded import bracketed, client_address, client_scheme, forwarded_element, hop_address
from adc.http.networks import Networks

TRUSTED = Networks(["10.0.0.0/8", "2001:db8::/32"])


@pytest.mark.parametrize(
    ("peer", "values", "client"),
    [
        ("198.51.100.9", [b"1.2.3.4"], "198.51.100.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [b"1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", [b"6.6.6.6, 1.2.3.4"], "1.2.3.4"),
        ("10.0.0.1", [b"6.6.6.6, 1.2.3.4, 10.0.0.2"], "1.2.3.4"),
        ("10.0.0.1", [b"6.6.6.6", b"1.2.3.4", b"10.0.0.2"], "1.2.3.4"),
        ("10.0.0.1", [b"10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", [b"1.2.3.4, garbage, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [b"1.2.3.4,"], "1.2.3.4"),
        ("10.0.0.1", [b"1.2.3.4 ,,\t, ", b"", b" , 10.0.0.2,"], "1.2.3.4"),
        ("10.0.0.1", [b"", b" ,"], "10.0.0.1"),
        ("10.0.0.1", [b"9.9.9.9, [::FFFF:1.2.3.4]:80, ::ffff:10.0.0.2"], "1.2.3.4"),
        ("10.0.0.1", [b"unknown"], "10.0.0.1"),
        ("10.0.0.1", [b"1.2.3.4:5678"], "1.2.3.4"),
        ("10.0.0.1", [b"1.2.3.4 ,\t[2001:db8::5]:443"], "1.2.3.4"),
        ("10.0.0.1", [b"2001:DB9:0::5"], "2001:db9::5"),
        ("::ffff:10.0.0.1", [b"::ffff:1.2.3.4"], "1.2.3.4"),
        ("", [b"1.2.3.4"], ""),
    ],
)
def test_the_client_is_the_nearest_hop_that_is_not_ours(peer: str, values: list[bytes], client: str) -> None:
    assert client_address(peer, values, TRUSTED) == client


@pytest.mark.parametrize(
    ("addresses", "schemes", "scheme"),
    [
        ([], b"https", "https"),
        ([], b" HTTPS\t", "https"),
        ([], b",, https ,", "https"),
        ([b"1.2.3.4"], b"http", "http"),
        ([b"1.2.3.4, 10.0.0.2"], b"https, http", "https"),
        ([b"1.2.3.4", b"10.0.0.2"], b"https, http", "https"),
        ([b"1.2.3.4, 10.0.0.2"], b"https", "https"),
        ([b"9.9.9.9, 1.2.3.4"], b"https, http", "http"),
        ([], b"http, https", "https"),
        ([b"1.2.3.4"], b"ftp", None),
        ([b"1.2.3.4"], b"", None),
        ([b"1.2.3.4"], b" , ,", None),
    ],
)
def test_the_scheme_is_the_one_that_the_client_used(
    addresses: list[bytes], schemes: bytes, scheme: str | None
) -> None:
    assert client_scheme("10.0.0.1", addresses, schemes, TRUSTED) == scheme
    assert client_scheme("198.51.100.9", addresses, schemes, TRUSTED) is None


def test_no_more_than_64_hops_are_read() -> None:
    assert client_address("10.0.0.1", [b"1.2.3.4" + b",10.0.0.2" * 63], TRUSTED) == "1.2.3.4"
    assert client_address("10.0.0.1", [b"1.2.3.4" + b",10.0.0.2" * 64], TRUSTED) == "10.0.0.2"
    assert client_address("10.0.0.1", [b"1.2.3.4", *[b"10.0.0.2"] * 64], TRUSTED) == "10.0.0.2"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "unknown",
        "_hidden",
        "1.2.3",
        "1.2.3.4:",
        "1.2.3.4:x",
        "[1.2.3.4",
        "::1::",
        "1.2.3.4\n",
        "9" * 70_000,
    ],
)
def test_invalid_address_is_no_hop(text: str) -> None:
    assert hop_address(text) is None


def test_ipv6_is_bracketed_once() -> None:
    assert bracketed("::1") == "[::1]"
    assert bracketed("[::1]") == "[::1]"
    assert bracketed("192.0.2.7") == "192.0.2.7"


def test_a_forwarded_element_quotes_what_is_no_token() -> None:
    element = forwarded_element("2001:DB8::1", by="10.0.0.1", host="example.com:8080", proto="https")
    assert element == b'for="[2001:db8::1]";by=10.0.0.1;host="example.com:8080";proto=https'


def test_a_forwarded_element_leaves_out_what_is_empty_and_hides_what_is_no_address() -> None:
    assert forwarded_element("unix:") == b"for=unknown"


def test_a_host_cannot_break_out_of_its_quotes() -> None:
    assert forwarded_element("192.0.2.7", host='a",for=6.6.6.6;"\\\r\n') == (
        b'for=192.0.2.7;host="a\\",for=6.6.6.6;\\"\\\\"'
    )
