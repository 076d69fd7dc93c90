"""Hashes of passwords: vectors of `openssl passwd`, and formats that are refused."""

from __future__ import annotations

import bcrypt
import pytest
from adc_plugins.basic_auth.hashes import parse_hash
from argon2 import PasswordHasher

VECTORS = [
    ("secret", "$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/"),
    ("secret", "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA"),
    (
        "secret",
        "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1",
    ),
    ("pässword", "$apr1$abcdefgh$rRdIxwY5XRHT4TMtBPZn.0"),
    ("pässword", "$5$saltsalt$rQBvFGQx3u6doxkk7cvWbhhnhS2qa1.FI.tt6NGFH66"),
    (
        "pässword",
        "$6$saltsalt$rVIyJtXnL0mXUCLepstXWqeOv9JVyd7nOH8wn0BvOU5lCiAviUJLxXZ5CkPgq6XNTHV22yG4mV0IO9gqPL5WQ.",
    ),
    ("Hello world!", "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA"),
    (
        "Hello world!",
        "$6$rounds=1000$roundstoolow$VTiyBzzTJoDUzG2edg6tTfnH44buhC6xQa2y1SRnr1w/dVOBbXKE612uZFeIlMGZ8MgLiap2x5mD5IOra0fN00",
    ),
]


@pytest.mark.parametrize(("password", "text"), VECTORS)
def test_hash_of_another_program_verifies_its_password_only(password: str, text: str) -> None:
    verify = parse_hash(text)
    assert verify(password.encode())
    assert not verify(password.encode() + b"x")
    assert not verify(b"")


def test_bcrypt_and_argon2_verify() -> None:
    for text in (
        bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode(),
        PasswordHasher(1, 64, 1).hash("secret"),
    ):
        assert parse_hash(text)(b"secret")
        assert not parse_hash(text)(b"Secret")


def test_bcrypt_takes_long_passwords_and_no_nul() -> None:
    verify = parse_hash(bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode())
    assert verify(b"x" * 100)
    assert not verify(b"x" * 72 + b"\0")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("secret", "plain text"),
        ("rqXexS6ZhobKA", "plain text"),
        ("{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "SHA-1"),
        ("$1$abc$xxxxxxxxxxxxxxxxxxxxxx", "unknown kind"),
        ("$2y$31$" + "a" * 53, "cost of 31"),
        ("$2y$05$short", "malformed"),
        ("$6$rounds=999999999$saltsalt$" + "a" * 86, "rounds"),
        ("$argon2id$v=19$m=99999999,t=1,p=1$aaaa$aaaa", "KiB"),
    ],
)
def test_hash_that_is_weak_or_too_costly_is_refused_without_being_shown(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as raised:
        parse_hash(text)
    assert text not in str(raised.value)
