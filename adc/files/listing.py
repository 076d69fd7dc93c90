"""The list of a folder's entries, as HTML or JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Final, NamedTuple
from urllib.parse import quote_from_bytes, unquote

from adc.http.dates import http_date
from adc.http.headers import Pair

MOST_ENTRIES: Final = 2000
"""Entries of a folder that a listing names; it says so if there are more."""

_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;margin:2rem}}td{{padding:0 1.5rem 0 0}}</style>
<h1>{title}</h1>
<table>
{rows}</table>{more}
"""
_ROW: Final = '<tr><td><a href="{href}">{text}</a><td>{size}<td>{modified}\n'
_HTML: Final[list[Pair]] = [
    (b"Content-Type", b"text/html; charset=utf-8"),
    (b"Content-Security-Policy", b"default-src 'none'; style-src 'unsafe-inline'"),
    (b"Vary", b"Accept"),
]
_JSON: Final[list[Pair]] = [(b"Content-Type", b"application/json"), (b"Vary", b"Accept")]


class Entry(NamedTuple):
    """One entry of a folder; `size` is in bytes, `modified` in epoch seconds."""

    name: bytes
    is_folder: bool
    size: int
    modified: int


def listing(path: str, entries: Iterable[Entry], more: bool, as_json: bool) -> tuple[list[Pair], bytes]:
    """Return fields and content of the list of `entries` of the folder that the request path `path` names.

    Folders come first. `more`: the folder has further entries.
    """
    ordered = sorted(entries, key=lambda entry: (not entry.is_folder, entry.name.lower(), entry.name))
    if as_json:
        return _JSON, json.dumps({"entries": [_fields(entry) for entry in ordered], "more": more}).encode()
    rows = "".join(_row(entry) for entry in ordered)
    up = "" if path == "/" else '<tr><td><a href="../">../</a><td><td>\n'
    note = f"\n<p>The folder has more entries than these {len(ordered)}.</p>" if more else ""
    title = escape(unquote(path, "utf-8", "replace"))
    return _HTML, _PAGE.format(title=title, rows=up + rows, more=note).encode()


def _fields(entry: Entry) -> dict[str, str | int]:
    kind = "folder" if entry.is_folder else "file"
    fields: dict[str, str | int] = {"name": _text(entry.name), "type": kind, "modified": entry.modified}
    return fields if entry.is_folder else fields | {"size": entry.size}


def _row(entry: Entry) -> str:
    slash = "/" if entry.is_folder else ""
    return _ROW.format(
        href=f"./{quote_from_bytes(entry.name)}{slash}",
        text=escape(_text(entry.name)) + slash,
        size="" if entry.is_folder else entry.size,
        modified=http_date(entry.modified).decode(),
    )


def _text(name: bytes) -> str:
    return name.decode("utf-8", "replace")
