"""Parts of a login that need no provider: sealed text, cookies, paths."""

from __future__ import annotations

import secrets

import pytest
from adc_plugins.tokens.cookies import MOST_PARTS, PART, Jar, TooLarge, without
from adc_plugins.tokens.oidc import Oidc, is_navigation
from adc_plugins.tokens.sealed import Sealer, from_text, to_text
from adc_plugins.tokens.session import Login, Session, dump, load, own_path
from hypothesis import given
from hypothesis import strategies as st

from adc.plugin import Headers
from adc.plugin.testkit import OptionErrors, Trial, request

KEYS = [secrets.token_bytes(32), secrets.token_bytes(32)]


@given(st.binary(max_size=200))
def test_sealed_data_opens_for_its_purpose_only(data: bytes) -> None:
    sealed = Sealer(KEYS[:1]).seal(data, b"a")
    assert data not in sealed or len(data) < 4
    assert Sealer(KEYS[::-1]).open(sealed, b"a") == data
    assert Sealer(KEYS).open(sealed, b"b") is None
    assert Sealer(KEYS[1:]).open(sealed, b"a") is None


@given(st.binary(max_size=100))
def test_other_bytes_do_not_open(data: bytes) -> None:
    assert Sealer(KEYS).open(data, b"a") is None


@given(st.text(max_size=50))
def test_any_text_is_bytes_or_none(text: str) -> None:
    found = from_text(text)
    assert found is None or isinstance(found, bytes)


def cookies_of(lines: list[str]) -> dict[str, str]:
    pairs = [line.partition(";")[0].partition("=") for line in lines]
    return {name: value for name, _, value in pairs if value}


@given(st.integers(1, PART * MOST_PARTS))
def test_text_in_parts_is_read_back(size: int) -> None:
    jar = Jar("s", True)
    text = to_text(secrets.token_bytes(size))[:size]
    assert jar.read_parts(cookies_of(jar.write_parts(text, 60, {}))) == text


def test_shorter_text_is_not_mixed_with_parts_of_a_longer_one() -> None:
    jar = Jar("s", False)
    before = cookies_of(jar.write_parts("x" * PART * 3, 60, {}))
    lines = jar.write_parts("y", 60, before)
    assert [line.partition(";")[0] for line in lines] == ["s=y", "s_1=", "s_2="]


def test_text_that_does_not_fit_is_refused() -> None:
    with pytest.raises(TooLarge):
        Jar("s", False).write_parts("x" * (PART * MOST_PARTS + 1), 60, {})


def test_cookies_of_a_session_are_removed_and_others_stay_as_they_are() -> None:
    headers = Headers(
        [(b"Cookie", b"a=1; s=x; s_1=y; b=2"), (b"cookie", b"s_login_1=z"), (b"Cookie", b" c=3")]
    )
    without(headers, (b"s",))
    assert headers.pairs == [(b"Cookie", b"a=1; b=2"), (b"Cookie", b"c=3")]


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/a?b=c", "/a?b=c"),
        ("//evil.test", "/"),
        ("/\\evil.test", "/"),
        ("https://evil.test", "/"),
        ("", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("/\tevil", "/"),
        ("/\xe4", "/"),
        ("/" + "a" * 3000, "/"),
    ],
)
def test_only_paths_of_this_site_are_gone_back_to(target: str, path: str) -> None:
    assert own_path(target) == path


def test_session_and_login_are_told_apart_and_do_not_show_themselves() -> None:
    session = Session({"sub": "alice"}, 1.0, refresh_token="secret")
    assert load(Session, dump(session)) == session
    assert load(Login, dump(session)) is None
    assert load(Session, b"[]") is None
    assert "secret" not in repr(session)


@pytest.mark.parametrize(
    ("method", "fields", "result"),
    [
        ("GET", {"Accept": "text/html,*/*"}, True),
        ("GET", {"Accept": "TEXT/HTML", "Sec-Fetch-Mode": "navigate"}, True),
        ("POST", {"Accept": "text/html"}, False),
        ("GET", {"Accept": "*/*"}, False),
        ("GET", {"Accept": "text/html", "Sec-Fetch-Mode": "cors"}, False),
        ("GET", {}, False),
    ],
)
def test_only_navigations_are_redirected(method: str, fields: dict[str, str], result: bool) -> None:
    assert is_navigation(request(method, headers=fields)) is result


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"issuer": "id.example.com"}, "issuer"),
        ({"client_id": ""}, "client_id"),
        ({"callback_path": "//evil"}, "callback_path"),
        ({"after_logout": "https://evil.test"}, "after_logout"),
        ({"public_url": "https://a/b"}, "has a path"),
        ({"scopes": ["email"]}, "openid is missing"),
        ({"cookie": "a;b"}, "cookie"),
        ({"headers": {"Host": "sub"}}, "headers"),
        ({"client_secret": {"file": "none"}}, "cannot be read"),
    ],
)
def test_wrong_option_is_named_without_the_secret(options: dict[str, object], reason: str) -> None:
    right = {"issuer": "https://id.example.com", "client_id": "web", "client_secret": "s3cret"}
    with pytest.raises(OptionErrors, match=reason) as raised:
        Trial(Oidc, right | options)
    assert "s3cret" not in str(raised.value)
