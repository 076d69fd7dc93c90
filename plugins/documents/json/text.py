"""Strict parsing of JSON (RFC 8259) within limits.

Depth and size are checked before the parser runs, so that it does not recurse deeply, and the length of a number
before it is converted.
"""

from __future__ import annotations

import json
import math
import re
from itertools import accumulate
from typing import Any, NoReturn

from adc_plugins.documents.json.limits import JsonLimits
from adc_plugins.documents.json.refused import JsonRefused

_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = [1 if chr(byte) in "[{" else -1 for byte in range(256)]
_BLOCK = 4096
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_OTHER_ENCODINGS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0")


class RepeatedName(JsonRefused):
    """An object has a name twice."""


def parse(content: bytes, limits: JsonLimits) -> Any:
    """Return the value of a document. Raises JsonRefused."""
    if len(content) > limits.size:
        raise JsonRefused(f"the document has more than {limits.size} bytes")
    if content.startswith(_OTHER_ENCODINGS) or content[1:2] == b"\0":
        raise JsonRefused("the document is not UTF-8 without a byte order mark", 1, 1)
    text = _decoded(content)
    bare = _without_strings(content, limits)
    _check_shape(bare, limits)
    try:
        value = _decoder(limits).decode(text)
    except json.JSONDecodeError as error:
        raise JsonRefused(error.msg, error.lineno, error.colno) from None
    except (RecursionError, ValueError) as error:
        raise JsonRefused(str(error)[:200]) from None
    if _SURROGATE.search(content):
        _check_surrogates(value)
    return value


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - before.rfind(b"\n")
        raise JsonRefused("the document is not UTF-8", line, column) from None


def _without_strings(content: bytes, limits: JsonLimits) -> bytes:
    """Return the document without strings, after a look at their lengths."""
    if b"\\" in content:
        content = content.replace(b"\\\\", b"__").replace(b'\\"', b"__")
    parts = content.split(b'"')
    if max(map(len, parts[1::2]), default=0) > limits.string_length:
        raise JsonRefused(f"a string has more than {limits.string_length} bytes")
    return b"".join(parts[::2])


def _check_shape(bare: bytes, limits: JsonLimits) -> None:
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > limits.values:
        raise JsonRefused(f"the document has more than {limits.values} values")
    brackets = bare.translate(None, _NO_BRACKET)
    depth = 0
    for start in range(0, len(brackets), _BLOCK):
        *reached, depth = accumulate(map(_STEPS.__getitem__, brackets[start : start + _BLOCK]), initial=depth)
        if max(*reached, depth) > limits.depth:
            raise JsonRefused(f"values are nested deeper than {limits.depth}")


def _decoder(limits: JsonLimits) -> json.JSONDecoder:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs) and not limits.duplicate_keys:
            raise RepeatedName("a name is repeated in an object")
        if len(pairs) > limits.keys:
            raise JsonRefused(f"an object has more than {limits.keys} names")
        if made and max(map(len, made)) > limits.key_length:
            raise JsonRefused(f"a name has more than {limits.key_length} characters")
        return made

    def whole(text: str) -> int:
        _check_number(text, limits)
        return int(text)

    def real(text: str) -> float:
        _check_number(text, limits)
        number = float(text)
        if not math.isfinite(number):
            raise JsonRefused("a number is out of range")
        return number

    return json.JSONDecoder(
        object_pairs_hook=members, parse_constant=_constant, parse_int=whole, parse_float=real
    )


def _check_number(text: str, limits: JsonLimits) -> None:
    if len(text) > limits.number_length:
        raise JsonRefused(f"a number has more than {limits.number_length} characters")


def _constant(name: str) -> NoReturn:
    raise JsonRefused(f"{name} is not JSON")


def _check_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise JsonRefused("a string has half of a surrogate pair") from None
