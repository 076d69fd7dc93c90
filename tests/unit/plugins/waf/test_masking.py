"""Masking of what logs must not show."""

from __future__ import annotations

import pytest
from adc_plugins.waf.masking import Masking
from adc_plugins.waf.options import SENSITIVE

MASKING = Masking(SENSITIVE)


@pytest.mark.parametrize(
    ("variable", "key"),
    [
        ("ARGS", "password"),
        ("ARGS", "user[Password]"),
        ("ARGS_POST", "csrf_token"),
        ("ARGS", "json.client_secret"),
        ("REQUEST_HEADERS", "Authorization"),
        ("REQUEST_HEADERS", "Cookie"),
        ("REQUEST_COOKIES", "id"),
        ("XML", ""),
    ],
)
def test_value_of_a_sensitive_name_is_hidden(variable: str, key: str) -> None:
    assert MASKING.is_sensitive(variable, key)


@pytest.mark.parametrize(
    ("variable", "key"), [("ARGS", "q"), ("ARGS_NAMES", "password"), ("REQUEST_URI", "")]
)
def test_value_of_another_name_is_shown(variable: str, key: str) -> None:
    assert not MASKING.is_sensitive(variable, key)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("a=1&password=hunter2&b=2", "a=1&password=***&b=2"),
        ("user[passwd]=x y&b=2", "user[passwd]=*** y&b=2"),
        ('{"a": 1, "password": "hun\\"ter2", "b": 2}', '{"a": 1, "password": ***, "b": 2}'),
        ('{"token":123}', '{"token":***}'),
        ("GET / HTTP/1.1\nCookie: a=1; b=2\nHost: a", "GET / HTTP/1.1\nCookie: ***\nHost: a"),
        ("nothing to hide", "nothing to hide"),
        ("?pass%77ord=hunter2&b=2", "?pass%77ord=***&b=2"),
        ("/reset;token=abc;/x", "/reset;token=***;/x"),
        ('name="password"\r\nX: y\r\n\r\nhun\nter2\r\n--b', 'name="password"\r\nX: y\r\n\r\n***\r\n--b'),
        ("<s:Password x='1'>hunter2</s:Password><b>c</b>", "<s:Password x='1'>***</s:Password><b>c</b>"),
    ],
)
def test_values_within_text_are_masked(text: str, masked: str) -> None:
    assert MASKING.text(text) == masked


def test_query_is_masked_whatever_the_escapes_in_its_names() -> None:
    assert MASKING.target("/a;sessionid=z?q=1&pass%77ord=x&Token=y&t&to=?a%26pin%3D1%26token%3D2") == (
        "/a;sessionid=***?q=1&pass%77ord=***&Token=***&t&to=***"
    )


def test_names_to_mask_are_an_option() -> None:
    assert Masking(["pin"]).text("password=1&pin=2") == "password=1&pin=***"
    assert Masking([]).text("password=1&pin=2") == "password=1&pin=2"


def test_long_text_is_masked_in_linear_time() -> None:
    text = "a." * 50_000
    assert MASKING.text(text) == text
