"""Coded forms of stored responses: what is asked for again and again is compressed once per coding."""

from __future__ import annotations

from dataclasses import replace

from adc.cache.entry import Entry
from adc.cache.memory import MemoryStore
from adc.compression.eligibility import variant_of
from adc.compression.encoders import content_coding
from adc.compression.options import CompressionOptions
from adc.compression.representation import recode, vary_by_coding
from adc.http.message import Request, Response


class Variants:
    """Makes and finds them, in memory beside the plain response: a purge of its URL or tags reaches them too.

    A coded form counts only while it stems from the very response that was chosen, which its terms tell.
    """

    __slots__ = ("_codings", "_options")

    def __init__(self, options: CompressionOptions) -> None:
        self._options = options
        self._codings = {name: content_coding(name, options.levels[name]) for name in options.codings}

    def of(self, memory: MemoryStore, request: Request, entry: Entry, plain: bytes) -> tuple[Entry, bytes]:
        """Return the form of `entry` for `request`, and its content; possibly the `plain` one."""
        head = Response(entry.status, entry.headers, b"", entry.length)
        name = variant_of(request, head, self._options)
        if name is None:
            return entry, plain
        key = form_key(entry, name.encode())
        known = known_form(memory, key, entry)
        if known is not None and isinstance(known.body, bytes):
            return known, known.body
        headers = entry.headers.copy()
        vary_by_coding(headers)
        recode(headers, name)
        content = self._codings[name].whole(plain)
        coded = replace(entry, key=key, headers=headers, body=content, length=len(content))
        memory.put(coded)
        return coded, content


def form_key(entry: Entry, coding: bytes) -> bytes:
    """Return the key of the form of `entry` in `coding`."""
    return b"%b%bcoding=%b" % (entry.key, b"" if b"\0" in entry.key else b"\0", coding)


def known_form(memory: MemoryStore, key: bytes, entry: Entry) -> Entry | None:
    """Return the form under `key` that stems from `entry`, if it is in memory."""
    for known in memory.get(key):
        if known.varying == entry.varying and known.terms == entry.terms:
            return known
    return None
