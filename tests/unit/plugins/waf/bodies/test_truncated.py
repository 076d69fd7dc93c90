"""The beginning of a multipart body is read as far as it goes."""

from __future__ import annotations

import pytest
from adc_plugins.waf.bodies.multipart.parse import parse_multipart
from adc_plugins.waf.bodies.parsed import Limits

TYPE = b"multipart/form-data; boundary=bound"
HEAD = b'--bound\r\nContent-Disposition: form-data; name="title"\r\n\r\nholiday\r\n'
FILE = b'--bound\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
WHOLE = HEAD + FILE + b"\xff\xd8\r\n-" + bytes(range(256)) + b"\r\n--bound--\r\n"


@pytest.mark.parametrize("size", range(len(HEAD), len(WHOLE) - 3))
def test_every_cut_behind_the_first_part_leaves_no_error(size: int) -> None:
    body = parse_multipart(WHOLE[:size], TYPE, Limits())
    assert (body.error, body.scalars) == ("", {})
    assert body.unfinished
    name, value = body.arguments[0]
    assert (name, value.removesuffix(b"--bound\r"[: size - len(HEAD)]).strip()) == (b"title", b"holiday")


def test_content_of_a_file_is_kept_up_to_the_cut() -> None:
    cut = HEAD + FILE + b"\xff\xd8 abc"
    (file,) = parse_multipart(cut, TYPE, Limits()).files
    assert (file.name, file.content) == (b"a.jpg", b"\xff\xd8 abc")


@pytest.mark.parametrize("content", [b"", b"no part"])
def test_content_without_a_boundary_stays_an_error(content: bytes) -> None:
    assert parse_multipart(content, TYPE, Limits()).error
