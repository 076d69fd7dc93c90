"""`html_fields`: forms keep their fields, and no value keeps what is not allowed."""

from __future__ import annotations

import json
from email.message import Message
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl, urlencode

import nh3
from adc_plugins.html_fields.fields import Unreadable
from adc_plugins.html_fields.json_fields import rewrite_json
from adc_plugins.html_fields.multipart import rewrite_multipart
from adc_plugins.html_fields.sanitiser import Sanitiser
from adc_plugins.html_fields.urlencoded import rewrite_query, rewrite_urlencoded
from hypothesis import given
from hypothesis import strategies as st

SANITISER = Sanitiser({"b", "p"}, {"p": {"title"}}, {"https"})
VALUES = st.lists(
    st.sampled_from(
        [
            "<b>",
            "</b>",
            "<p title='x'>",
            "<script>",
            "<i x=y>",
            "<",
            ">",
            "'",
            "&",
            "--b",
            "\r\n",
            "<!--",
            "가",
        ]
    ),
    max_size=8,
).map("".join)
NAMES = st.text("abc[]", min_size=1, max_size=4)
FORMS = st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=5)


def sanitise(name: str, value: str) -> str | None:
    return SANITISER.sanitised(value)


def expected(value: str) -> str:
    made = SANITISER.sanitised(value)
    return value if made is None else made


@given(VALUES, VALUES)
def test_sanitised_value_has_nothing_that_is_not_allowed_whatever_follows(value: str, after: str) -> None:
    made = expected(value)
    assert expected(made) == made
    assert "<script" not in made
    assert "<i" not in made
    assert "<!--" not in made
    assert nh3.clean(made, tags={"b", "p"}, attributes={"p": {"title"}}).count("<p") == made.count("<p")


@given(FORMS)
def test_urlencoded_form_keeps_its_fields(form: list[tuple[str, str]]) -> None:
    body = urlencode(form).encode()
    made = rewrite_urlencoded(body, "utf-8", sanitise) or body
    assert parse_qsl(made.decode(), keep_blank_values=True) == [
        (name, expected(value)) for name, value in form
    ]


@given(FORMS)
def test_multipart_form_keeps_its_fields(form: list[tuple[str, str]]) -> None:
    parts = [
        f'--b b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in form
    ]
    body = "".join([*parts, "--b b--\r\n"]).encode()
    content_type = b'multipart/form-data; boundary="b b"'
    try:
        made = rewrite_multipart(body, content_type, "utf-8", sanitise) or body
    except Unreadable:
        return
    message: Message = BytesParser().parsebytes(b"Content-Type: %b\r\n\r\n%b" % (content_type, made))
    found: list[Any] = message.get_payload()
    assert [part.get_param("name", header="content-disposition") for part in found] == [
        name for name, _ in form
    ]
    contents = made.split(b"\r\n--b b")
    assert len(contents) == len(form) + 1
    for (_, value), content in zip(form, contents, strict=False):
        assert content.endswith(b"\r\n\r\n" + expected(value).encode())


@given(
    st.recursive(
        VALUES | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner)
    )
)
def test_json_keeps_its_values(value: Any) -> None:
    def cleaned(part: Any) -> Any:
        if isinstance(part, str):
            return expected(part)
        if isinstance(part, list):
            return [cleaned(each) for each in part]
        return {key: cleaned(each) for key, each in part.items()} if isinstance(part, dict) else part

    body = json.dumps(value).encode()
    assert json.loads(rewrite_json(body, sanitise) or body) == cleaned(value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (
        lambda: rewrite_multipart(
            b"--b\r\n" + body + b"\r\n--b--", b"multipart/form-data; boundary=b", "utf-8", sanitise
        ),
        lambda: rewrite_urlencoded(body, "utf-8", sanitise),
        lambda: rewrite_json(body, sanitise),
    ):
        try:
            read()
        except Unreadable:
            pass


@given(FORMS, st.sampled_from("&;"))
def test_fields_of_a_query_keep_their_names_and_lose_only_html(
    form: list[tuple[str, str]], separator: str
) -> None:
    query = separator.join(urlencode([pair]) for pair in form).encode()
    made = rewrite_query(query, "utf-8", sanitise) or query
    found = parse_qsl(made.decode(), keep_blank_values=True, separator=separator)
    assert found == [(name, expected(value)) for name, value in form]
