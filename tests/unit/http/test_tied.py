"""Which credentials and challenges are those of a connection."""

import pytest

from adc.http.tied import authenticates_connection, offers_connection


@pytest.mark.parametrize(
    "value",
    [
        b"NTLM TlRM",
        b"ntlm x",
        b"Negotiate YII",
        b"NEGOTIATE",
        b"negotiate  x",
        b"NTLM\tx",
        b"Basic x, Negotiate\tYII",
        b", NTLM x",
    ],
)
def test_ntlm_and_negotiate_credentials_are_of_a_connection(value):
    assert authenticates_connection(value)


@pytest.mark.parametrize("value", [b"", b"Basic bnRsbQ==", b"Bearer NTLM", b"NTLMv2 x", b"Negotiates x"])
def test_other_credentials_are_of_a_request(value):
    assert not authenticates_connection(value)


@pytest.mark.parametrize(
    "values",
    [
        (b"NTLM",),
        (b"Negotiate",),
        (b'Basic realm="a", NTLM',),
        (b'Basic realm="a"', b"negotiate"),
        (b"NTLM TlRM==",),
        (b"Basic,\tNegotiate\tYII",),
    ],
)
def test_a_challenge_anywhere_in_the_list_counts(values):
    assert offers_connection(values)


def test_other_challenges_do_not():
    assert not offers_connection([b'Basic realm="NTLM"', b"Bearer", b""])
