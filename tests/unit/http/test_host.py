from __future__ import annotations

import pytest

from adc.http.target import BadHost, parse_host

LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("Example.COM", "example.com"),
        ("example.com:8080", "example.com"),
        ("example.com:", "example.com"),
        ("example.com.", "example.com"),
        ("example.com.:80", "example.com"),
        ("a:65535", "a"),
        ("my_app-1", "my_app-1"),
        ("1password.com", "1password.com"),
        ("127.0.0.1:80", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("[2001:DB8:0:0::1]:443", "[2001:db8::1]"),
        (LONGEST, LONGEST),
    ],
)
def test_host_is_lower_case_without_port_and_trailing_dot(value: str, host: str) -> None:
    assert parse_host(value) == host


@pytest.mark.parametrize(
    "value",
    [
        "",
        ":80",
        ".",
        ".a",
        "a..b",
        "a..",
        "-a",
        "a b",
        "a\n",
        "a\t",
        "a,b",
        "a/b",
        "a@b",
        "a%41",
        "a\x00",
        "é.com",
        "a:b",
        "a:0",
        "a:080",
        "a:65536",
        "a:99999999999",
        "a:-1",
        "a:８０",
        "1.2.3",
        "256.1.1.1",
        "01.2.3.4",
        "0x7f.1",
        "2130706433",
        "::1",
        "[::1",
        "[::1]x",
        "[::1%eth0]",
        "[1.2.3.4]",
        "[]",
        "[:::]",
        "a" * 64,
        LONGEST + "d",
    ],
)
def test_authority_without_a_host_is_rejected(value: str) -> None:
    with pytest.raises(BadHost):
        parse_host(value)
