"""Verification of tokens, without I/O."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from adc_plugins.tokens.keys import ASYMMETRIC, KeyRing, parse_jwks, parse_public_key, secret_key
from adc_plugins.tokens.verify import Rules, TokenRefused, UnknownKey, Verifier
from hypothesis import given
from hypothesis import strategies as st

from tests.kit.tokens import ISSUER, SECRET, jwks, key, secret, token

NOW = 1_800_000_000.0
RULES = Rules(frozenset(ASYMMETRIC), ISSUER, frozenset({"api"}))
RING = parse_jwks(jwks(key(), key("RSA", "rsa"), key("OKP", "ed")))


def verified(text: str, ring: KeyRing = RING, rules: Rules = RULES) -> Any:
    return Verifier(rules).verify(text, ring, NOW)


def made(*arguments: Any, **options: Any) -> str:
    text: str = token(*arguments, now=NOW, **options)
    return text


def forged(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize(
    ("kind", "kid", "algorithm"),
    [("EC", "one", "ES256"), ("RSA", "rsa", "RS256"), ("RSA", "rsa", "PS256"), ("OKP", "ed", "EdDSA")],
)
def test_token_of_each_algorithm_is_verified(kind: str, kid: str, algorithm: str) -> None:
    assert verified(made(signed_by=key(kind, kid), algorithm=algorithm))["sub"] == "alice"


def test_signature_of_another_key_is_refused() -> None:
    with pytest.raises(TokenRefused, match="signature"):
        verified(made(signed_by=key("EC", "other"), header={"kid": "one"}))


def test_changed_content_is_refused() -> None:
    head, _, signature = made().split(".")
    claims = (
        base64.urlsafe_b64encode(json.dumps({"sub": "root", "exp": NOW + 300}).encode()).rstrip(b"=").decode()
    )
    with pytest.raises(TokenRefused, match="signature"):
        verified(f"{head}.{claims}.{signature}")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256", None, 5, ["ES256"]])
def test_algorithm_that_is_not_allowed_is_refused(algorithm: Any) -> None:
    with pytest.raises(TokenRefused):
        verified(forged({"alg": algorithm, "kid": "one"}, {"sub": "root", "exp": NOW + 300}, b"x"))


def test_public_key_is_no_secret() -> None:
    """The classic confusion: HS256 with the text of the public RSA key."""
    rsa = key("RSA", "rsa")
    for text in (rsa.as_pem(private=False), rsa.as_pem(private=False).strip()):
        signed = forged(
            {"alg": "HS256", "kid": "rsa"}, {"sub": "root", "exp": NOW + 300, "iss": ISSUER, "aud": "api"}
        )
        body = signed.rpartition(".")[0]
        mac = base64.urlsafe_b64encode(hmac.digest(text, body.encode(), hashlib.sha256)).rstrip(b"=").decode()
        with pytest.raises(TokenRefused):
            verified(f"{body}.{mac}")
        everything = Rules(frozenset({*ASYMMETRIC, "HS256"}))
        with pytest.raises(TokenRefused):
            verified(f"{body}.{mac}", rules=everything)


def test_key_of_another_family_than_the_algorithms_is_not_used() -> None:
    with pytest.raises(TokenRefused):
        verified(made(signed_by=key("RSA", "rsa"), algorithm="RS256", header={"kid": "one"}))


def test_unknown_key_is_told_apart() -> None:
    with pytest.raises(UnknownKey):
        verified(made(signed_by=key("EC", "new")))


def test_token_without_key_id_is_verified_by_a_key_that_fits() -> None:
    unnamed = key("EC", None)
    assert verified(made(signed_by=unnamed), parse_jwks(jwks(key(), unnamed)))["sub"] == "alice"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": NOW - 31}, "expired"),
        ({"exp": None}, "no claim exp"),
        ({"exp": "soon"}, "malformed"),
        ({"exp": True}, "malformed"),
        ({"exp": float("nan")}, "malformed"),
        ({"exp": float("inf")}, "malformed"),
        ({"nbf": NOW + 31}, "not valid yet"),
        ({"iat": NOW + 31}, "in the future"),
        ({"iss": "https://evil.example.com"}, "another issuer"),
        ({"iss": [ISSUER]}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"aud": "web"}, "another audience"),
        ({"aud": ["web", 5]}, "another audience"),
        ({"aud": {"api": 1}}, "another audience"),
        ({"aud": None}, "another audience"),
    ],
)
def test_claims_that_break_a_rule_are_refused(claims: dict[str, Any], why: str) -> None:
    with pytest.raises(TokenRefused, match=why):
        verified(made(claims))


@pytest.mark.parametrize(
    "claims", [{"exp": NOW - 29}, {"nbf": NOW + 29}, {"aud": ["web", "api"]}, {"exp": NOW + 0.5}]
)
def test_claims_within_the_leeway_are_accepted(claims: dict[str, Any]) -> None:
    assert verified(made(claims))["sub"] == "alice"


def test_critical_header_that_is_not_understood_is_refused() -> None:
    with pytest.raises(TokenRefused):
        verified(forged({"alg": "ES256", "kid": "one", "crit": ["x"], "x": 1}, {}, b"x"))


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda data: data.decode("latin-1")))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(TokenRefused):
        verified(text)


NAMES = st.sampled_from(["alg", "kid", "crit", "b64"])
HEADERS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
)


@given(HEADERS)
def test_any_header_is_refused(header: Any) -> None:
    with pytest.raises(TokenRefused):
        verified(forged(header, {"sub": "root"}, b"x"))


def test_deeply_nested_header_is_refused() -> None:
    head = base64.urlsafe_b64encode(b'{"a":' * 2000 + b"[" * 1000).decode().rstrip("=")
    with pytest.raises(TokenRefused):
        verified(f"{head}.e30.eA")


def test_secret_verifies_hs256() -> None:
    rules = Rules(frozenset({"HS256"}))
    text = made(signed_by=secret(), algorithm="HS256")
    assert verified(text, secret_key(SECRET), rules)["sub"] == "alice"
    with pytest.raises(TokenRefused, match="signature"):
        verified(text, secret_key("t" * 32), rules)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no JSON"),
        ("[]", "no set"),
        ('{"keys": {}}', "no set"),
        ('{"keys": []}', "no key"),
        ('{"keys": [5, {}, {"kty": "RSA"}, {"kty": "XX"}]}', "no key"),
        (jwks(key("RSA", "weak", 1024)), "no key"),
        (json.dumps({"keys": [{**key().as_dict(private=False), "use": "enc"}]}), "no key"),
    ],
)
def test_set_without_a_usable_key_is_rejected(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_jwks(text)


def test_unusable_keys_of_a_set_are_left_out() -> None:
    found = json.loads(jwks(key()))["keys"]
    assert len(parse_jwks(json.dumps({"keys": [{"kty": "XX"}, *found]}))) == 1


def test_public_key_in_pem_form() -> None:
    rsa = key("RSA", "rsa")
    ring = parse_public_key(rsa.as_pem(private=False).decode())
    unnamed = key("RSA", None)
    text = made(signed_by=unnamed, algorithm="RS256")
    assert verified(text, parse_public_key(unnamed.as_pem(private=False).decode()))
    assert len(ring) == 1
    with pytest.raises(ValueError, match="private key"):
        parse_public_key(rsa.as_pem(private=True).decode())
    with pytest.raises(ValueError, match="no public key"):
        parse_public_key("text")
    with pytest.raises(ValueError, match="too weak"):
        parse_public_key(key("RSA", "weak", 1024).as_pem(private=False).decode())


@pytest.mark.parametrize(
    ("text", "why"), [("short", "fewer than 32"), (key("RSA", "rsa").as_pem(private=False).decode(), "PEM")]
)
def test_weak_secret_is_rejected(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        secret_key(text)
