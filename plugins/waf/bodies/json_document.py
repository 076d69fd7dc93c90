"""JSON bodies: every value an argument, named by its path as ModSecurity does (`json.a.array_0.b`)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Final, NoReturn

from adc_plugins.waf.bodies.parsed import Limits, Pair, ParsedBody

_ROOT: Final = "json"
_EMPTY_KEY: Final = "empty-key"
_LONGEST_PREFIX: Final = 1_024
"""Characters of a container's path before its items' own keys; what is longer is cut, so that names stay linear."""
_LONGEST_TOKEN: Final = len("\\u0000")
"""Characters of a literal or an escape."""
_STRING: Final = re.compile(r'"((?:[^"\\]++|\\.)*+)"?', re.DOTALL)
_COLON: Final = re.compile(r"[ \t\r\n]*:")
_SPACE: Final = " \t\r\n"
_LITERALS: Final = {True: b"true", False: b"false", None: b""}

_Container = list["_Value"] | tuple[tuple[str, "_Value"], ...]
_Value = str | bool | None | _Container
"""Numbers are strings as written, objects tuples of pairs, so that no digit and no duplicate key is lost."""


class _UnacceptableError(ValueError):
    """A document that this processor does not accept."""


def _refuse_constant(name: str) -> NoReturn:
    raise _UnacceptableError(f"{name} is no JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=tuple, parse_int=str, parse_float=str, parse_constant=_refuse_constant
)


def parse_json(content: bytes, _content_type: bytes, limits: Limits) -> ParsedBody:
    """Parse the document. Of one that is not accepted, each string is an argument named `json`."""
    text, error = _decode(content)
    arguments: list[Pair] = []
    unfinished = ""
    try:
        value, end = _DECODER.raw_decode(text, len(text) - len(text.lstrip(_SPACE)))
        _collect(value, limits, arguments)
        if text[end:].strip(_SPACE):
            raise _UnacceptableError("text follows the document")
    except RecursionError:
        error = "the document is nested too deep"
    except json.JSONDecodeError as problem:
        if _is_cut(problem):
            unfinished = str(problem)
        else:
            error = error or str(problem)
    except ValueError as problem:
        error = error or str(problem)
    if error or unfinished:
        arguments += _strings(text)
    return ParsedBody(arguments=arguments, error=error, unfinished=unfinished)


def _is_cut(problem: json.JSONDecodeError) -> bool:
    """True if the document may be the beginning of a sound one."""
    return problem.msg.startswith("Unterminated string") or problem.pos >= len(problem.doc) - _LONGEST_TOKEN


def _decode(content: bytes) -> tuple[str, str]:
    """Return the text, and what is wrong with its encoding; other readers accept UTF-16 and byte order marks."""
    encoding = json.detect_encoding(content)
    if encoding == "utf-8":
        try:
            return content.decode(), ""
        except UnicodeDecodeError:
            return content.decode("utf-8", "surrogateescape"), "the document is not UTF-8"
    return content.decode(encoding, "replace"), f"the document is {encoding}"


def _collect(document: _Value, limits: Limits, found: list[Pair]) -> None:
    """Append the values of `document` in its order."""
    try:
        _add(document, limits, found, str.encode)
    except UnicodeEncodeError:
        found.clear()
        _add(document, limits, found, _encode)


def _add(document: _Value, limits: Limits, found: list[Pair], encode: Callable[[str], bytes]) -> None:
    if isinstance(document, (list, tuple)):
        _add_items(document, _ROOT, limits.json_depth, limits, found, encode)
    else:
        found.append((encode(_ROOT), encode(document) if isinstance(document, str) else _LITERALS[document]))


def _add_items(
    container: _Container,
    prefix: str,
    levels: int,
    limits: Limits,
    found: list[Pair],
    encode: Callable[[str], bytes],
) -> None:
    """Append the values in `container`, whose path is `prefix` and which may be nested `levels` deep."""
    if levels == 0:
        raise _UnacceptableError(f"the document is nested more than {limits.json_depth} deep")
    if len(prefix) > _LONGEST_PREFIX:
        found.append((encode(prefix), b""))
        prefix = prefix[:_LONGEST_PREFIX]
    most = limits.arguments
    for key, value in container if isinstance(container, tuple) else _numbered(container):
        path = f"{prefix}.{key or _EMPTY_KEY}"
        if isinstance(value, str):
            found.append((encode(path), encode(value)))
        elif isinstance(value, (list, tuple)):
            _add_items(value, path, levels - 1, limits, found, encode)
        else:
            found.append((encode(path), _LITERALS[value]))
        if len(found) > most:
            raise _UnacceptableError(f"more than {most} arguments")


def _numbered(array: list[_Value]) -> Iterator[tuple[str, _Value]]:
    for index, value in enumerate(array):
        yield f"array_{index}", value


def _encode(text: str) -> bytes:
    """Return UTF-8, invalid bytes as received, and a lone surrogate as three bytes."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _strings(text: str) -> Iterator[Pair]:
    """Yield everything between quotation marks, decoded where it is a JSON string; values get the last name."""
    root = key = _encode(_ROOT)
    for found in _STRING.finditer(text):
        string = found.group(1)
        if "\\" in string:
            try:
                string = json.loads(f'"{string}"', strict=False)
            except ValueError:
                pass
        value = _encode(string)
        if _COLON.match(text, found.end()):
            yield root, value
            key = root + b"." + value[:_LONGEST_PREFIX]
        else:
            yield key, value
