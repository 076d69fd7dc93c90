from __future__ import annotations

from email.utils import formatdate
from ipaddress import ip_address
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from adc.http.dates import http_date, parse_http_date
from adc.http.forwarded import client_address, forwarded_element, hop_address
from adc.http.media import parse_preferences
from adc.http.networks import Networks

seconds = st.integers(0, 253402300799)
addresses = st.ip_addresses().map(str)
hops = (
    addresses
    | st.sampled_from(["10.0.0.1", "10.9.9.9", "unknown", "", "[::1]:80", "10.0.0.1:5"])
    | st.text(max_size=8)
)
TRUSTED = Networks(["10.0.0.0/8", "::/1"])


@given(seconds)
def test_dates_round_trip(second: int) -> None:
    assert parse_http_date(http_date(second), 0.0) == second


@given(seconds)
def test_dates_are_written_as_the_standard_library_writes_them(second: int) -> None:
    assert http_date(second).decode() == formatdate(second, usegmt=True)


@given(st.binary(max_size=40), seconds)
def test_no_value_upsets_the_date_parser(value: bytes, now: int) -> None:
    assert parse_http_date(value, now) is None or len(value) >= 24


@given(st.ip_addresses().map(str), st.lists(hops, max_size=8))
def test_no_hop_behind_an_untrusted_one_is_believed(peer: str, chain: list[str]) -> None:
    value = ", ".join(chain).encode("utf-8", "replace")
    client = client_address(peer, [value], TRUSTED)
    listed = [hop for hop in value.decode("latin-1").split(",") if hop.strip(" \t")]
    nearest_first = [peer, *reversed(listed)]
    believed = {peer}
    for nearer, hop in pairwise(nearest_first):
        address = hop_address(hop)
        if address is None or not TRUSTED.contains(hop_address(nearer) or nearer):
            break
        believed.add(address)
    assert client in believed


@given(
    st.ip_addresses().map(str).filter(lambda text: not TRUSTED.contains(text)),
    st.lists(st.binary(max_size=60)),
)
def test_an_untrusted_peer_is_always_the_client(peer: str, values: list[bytes]) -> None:
    assert client_address(peer, values, TRUSTED) == peer


@given(addresses, st.lists(st.binary(max_size=60)))
def test_the_client_of_a_trusted_peer_is_an_address_whatever_was_sent(peer: str, values: list[bytes]) -> None:
    ip_address(client_address(peer, values, Networks(["0.0.0.0/0", "::/0"])))


@given(st.text(), st.text(), st.text())
def test_a_forwarded_element_is_one_element(for_address: str, host: str, proto: str) -> None:
    element = forwarded_element(for_address, host=host, proto=proto).decode("ascii")
    assert "\r" not in element
    assert "\n" not in element
    outside, quoted, skip = "", False, False
    for character in element:
        if skip:
            skip = False
        elif quoted and character == "\\":
            skip = True
        elif character == '"':
            quoted = not quoted
        elif not quoted:
            outside += character
    assert not quoted
    assert "," not in outside
    assert outside.count("=") == 1 + bool(host) + bool(proto)


@given(st.binary())
def test_no_value_upsets_the_list_parser(value: bytes) -> None:
    qualities = [item.quality for item in parse_preferences(value)]
    assert qualities == sorted(qualities, reverse=True)
    assert all(0.0 <= quality <= 1.0 for quality in qualities)
