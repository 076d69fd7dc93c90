"""The head of a response whose content a plugin replaces."""

from __future__ import annotations

from adc.compression.decoders import decodes
from adc.compression.representation import recode, weak
from adc.http.cache_control import split_list
from adc.http.message import UNKNOWN_LENGTH, Response
from adc.http.preconditions import names

_PARTIAL = 206
_OF_THE_MEMBER = (
    b"accept-ranges",
    b"content-digest",
    b"content-encoding",
    b"content-language",
    b"content-md5",
    b"content-type",
    b"digest",
    b"repr-digest",
)
"""Fields of a 304 that describe the content as the member would send it. They would replace those of what is stored."""
_MOST_CODINGS = 4


def coding_of(response: Response) -> bytes:
    """Return the content codings of `response` in lower case, joined by a comma; b"" for plain content."""
    value = response.headers.joined(b"content-encoding") or b""
    names = [name.lower() for name in split_list(value, _MOST_CODINGS)]
    return b", ".join([name for name in names if name and name != b"identity"])


def obstacle(response: Response) -> str:
    """Return why the content cannot be given to a plugin whole and plain, "" if it can."""
    if response.status == _PARTIAL:
        return "the response is a part of the content, which was not asked for"
    coding = coding_of(response)
    if coding and not decodes(coding):
        return f"the content coding {coding.decode('latin-1')!r:.80} cannot be decoded"
    return ""


def restate(response: Response) -> None:
    """State that the content is plain and differs from what the member sent: the entity tag becomes weak; coding,
    digests and `Accept-Ranges` go, and so does the length of content."""
    recode(response.headers, None)
    if response.body_length:
        response.body_length = UNKNOWN_LENGTH


def restate_unchanged(response: Response, if_none_match: bytes | None) -> None:
    """Have a 304 describe what its receiver holds: the entity tag is the one in `if_none_match`, the weak one if it is
    not known there. A 304 does not show if its content was replaced, since it need not have a type."""
    headers = response.headers
    headers.remove(*_OF_THE_MEMBER)
    tag = headers.get(b"etag")
    if tag is not None and not (if_none_match is not None and names(if_none_match, tag)):
        headers.set(b"ETag", weak(tag))
    if response.body_length:
        response.body_length = UNKNOWN_LENGTH
