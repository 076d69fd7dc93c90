"""A tokenizer of HTML in bytes that streams: any split into chunks gives the same tokens."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from typing import Final

from .long_tag import LongTag
from .tags import StartTag, TagScan, read_well_formed

MOST_BUFFERED: Final = 1 << 17
"""A longer tag passes unread, so that memory stays bounded."""

_SPACES = b"\t\n\f\r />"
_END_TAG = re.compile(rb"</([a-zA-Z][^\t\n\f\r />]*+)[\t\n\f\r ]*+>")
_COMMENT_END = re.compile(rb"-->|--!>")
_SCRIPT = re.compile(rb"<!--|</script[\t\n\f\r />]", re.IGNORECASE)
_ESCAPED = re.compile(rb"-->|<(/?)script[\t\n\f\r />]", re.IGNORECASE)
_WAIT = -1
_Step = Callable[["TokenStream", bytes, int], int]


@cache
def _end_of(name: bytes) -> re.Pattern[bytes]:
    return re.compile(b"</" + name + rb"[\t\n\f\r />]", re.IGNORECASE)


class TokenStream(ABC):
    """Feeds a subclass with `text`, `start`, `end`, `raw_text` and `other`; their bytes, joined, are the document.

    `start` may set `raw_element`, the name of an element whose content is text.
    """

    def __init__(self) -> None:
        self.raw_element = b""
        self._rest = b""
        # An unbound function: a bound method would make a cycle.
        self._step: _Step = TokenStream._data
        self._scan: TagScan | None = None
        self._long: LongTag | None = None
        self._opening = False
        self._script = _SCRIPT
        self._script_nested = False

    @abstractmethod
    def in_foreign(self) -> bool:
        """Return True within SVG or MathML, where `<![CDATA[` begins a section."""

    @abstractmethod
    def text(self, data: bytes) -> None:
        """Receive text, or a part of it."""

    @abstractmethod
    def raw_text(self, data: bytes) -> None:
        """Receive content of the element `raw_element`, or a part of it."""

    @abstractmethod
    def start(self, tag: StartTag) -> None:
        """Receive a start tag."""

    @abstractmethod
    def end(self, name: bytes, raw: bytes) -> None:
        """Receive an end tag."""

    @abstractmethod
    def long_start(self, name: bytes) -> None:
        """Receive the name of a start tag that is too long; its bytes follow as `other`."""

    @abstractmethod
    def long_started(self, name: bytes, self_closing: bool) -> None:
        """Note the end of such a tag."""

    @abstractmethod
    def other(self, data: bytes) -> None:
        """Receive a part of a comment, document type or long tag."""

    @abstractmethod
    def raw_ended(self) -> None:
        """Note that the content of `raw_element` is complete; its end tag follows."""

    # The tokenizer.

    @property
    def within(self) -> bool:
        """True within a comment, a long tag or raw text: content that is appended there is not read as HTML."""
        return self._step is not TokenStream._data

    def take(self, data: bytes) -> None:
        """Read the next chunk."""
        buffer = self._rest + data if self._rest else data
        position, size = 0, len(buffer)
        while position < size:
            after = self._step(self, buffer, position)
            if after == _WAIT:
                break
            position = after
        self._rest = buffer[position:]

    def rest(self) -> bytes:
        """Return what was not read because the document stopped in it."""
        return self._rest

    def _data(self, buffer: bytes, position: int) -> int:
        less = buffer.find(b"<", position)
        if less < 0:
            self.text(buffer[position:])
            return len(buffer)
        if less > position:
            self.text(buffer[position:less])
            return less
        following = buffer[less + 1 : less + 2]
        if following.isalpha():
            return self._start_tag(buffer, less)
        if following == b"/":
            return self._closing(buffer, less)
        if following == b"!":
            return self._declaration(buffer, less)
        if not following:
            return _WAIT
        if following == b"?":
            return self._switch(TokenStream._bogus, buffer, less, 2)
        self.text(b"<")
        return less + 1

    def _switch(self, step: _Step, buffer: bytes, position: int, size: int) -> int:
        self._step = step
        self.other(buffer[position : position + size])
        return position + size

    def _start_tag(self, buffer: bytes, position: int) -> int:
        if self._scan is None:
            if buffer.find(b">", position) < 0:
                return self._waiting_for_tag(buffer, position, 1)
            tag = read_well_formed(buffer, position)
        else:
            tag = None
        if tag is None:
            if self._scan is None:
                self._scan = TagScan(buffer, position, 1)
            tag = self._scan.read(buffer, position)
            if tag is None:
                return self._waiting_for_tag(buffer, position, 1)
            self._scan = None
        if len(tag.raw) > MOST_BUFFERED:
            return self._begin_long(buffer, position, 1)
        self.start(tag)
        self._enter_raw_text()
        return position + len(tag.raw)

    def _enter_raw_text(self) -> None:
        if self.raw_element:
            self._step = TokenStream._raw
            self._script, self._script_nested = _SCRIPT, False

    def _waiting_for_tag(self, buffer: bytes, position: int, prefix: int) -> int:
        if len(buffer) - position <= MOST_BUFFERED:
            return _WAIT
        self._scan = None
        return self._begin_long(buffer, position, prefix)

    def _begin_long(self, buffer: bytes, position: int, prefix: int) -> int:
        self._long = LongTag(buffer, position, prefix)
        self._step = TokenStream._long_tag
        if prefix == 1:
            self.long_start(self._long.name)
        else:
            self.end(self._long.name, b"")
        self.other(buffer[position : self._long.end_of_name])
        return self._long.end_of_name

    def _long_tag(self, buffer: bytes, position: int) -> int:
        tag = self._long
        assert tag is not None
        after = tag.skip(buffer, position)
        self.other(buffer[position:after])
        if tag.over:
            self._long, self._step = None, TokenStream._data
            if tag.prefix == 1:
                self.long_started(tag.name, tag.self_closing)
                self._enter_raw_text()
        return after

    def _closing(self, buffer: bytes, position: int) -> int:
        following = buffer[position + 2 : position + 3]
        if not following:
            return _WAIT
        if not following.isalpha():
            return self._switch(TokenStream._bogus, buffer, position, 2)
        if self._scan is None:
            if buffer.find(b">", position) < 0:
                return self._waiting_for_tag(buffer, position, 2)
            if found := _END_TAG.match(buffer, position):
                if found.end() - position > MOST_BUFFERED:
                    return self._begin_long(buffer, position, 2)
                self.end(found[1].lower(), found[0])
                return found.end()
            self._scan = TagScan(buffer, position, 2)
        tag = self._scan.read(buffer, position)
        if tag is None:
            return self._waiting_for_tag(buffer, position, 2)
        self._scan = None
        if len(tag.raw) > MOST_BUFFERED:
            return self._begin_long(buffer, position, 2)
        self.end(tag.name, tag.raw)
        return position + len(tag.raw)

    def _declaration(self, buffer: bytes, position: int) -> int:
        beginning = buffer[position : position + 9]
        if beginning.startswith(b"<!--"):
            self._opening = True
            return self._switch(TokenStream._comment, buffer, position, 2)
        if beginning in b"<!--" or (beginning != b"<![CDATA[" and b"<![CDATA[".startswith(beginning)):
            return _WAIT
        if beginning == b"<![CDATA[" and self.in_foreign():
            return self._switch(TokenStream._cdata, buffer, position, 9)
        return self._switch(TokenStream._bogus, buffer, position, 2)

    def _comment(self, buffer: bytes, position: int) -> int:
        """Pass a comment, from the dashes that open it; they may be part of its end, except of `--!>`."""
        opening = self._opening
        if opening and len(buffer) - position < 8 and buffer.find(b">", position) < 0:
            return _WAIT
        found = _COMMENT_END.search(buffer, position)
        while found and opening and found[0] == b"--!>" and found.start() < position + 2:
            found = _COMMENT_END.search(buffer, found.start() + 1)
        if found:
            self._step = TokenStream._data
            self.other(buffer[position : found.end()])
            return found.end()
        if opening and len(buffer) - position < 8:
            return _WAIT
        self._opening = False
        return self._pass_but(buffer, position, 3)

    def _pass_but(self, buffer: bytes, position: int, kept: int) -> int:
        """Pass all but the last `kept` bytes, which may begin the end."""
        after = len(buffer) - kept
        if after <= position:
            return _WAIT
        self.other(buffer[position:after])
        return after

    def _bogus(self, buffer: bytes, position: int) -> int:
        end = buffer.find(b">", position)
        after = len(buffer) if end < 0 else end + 1
        if end >= 0:
            self._step = TokenStream._data
        self.other(buffer[position:after])
        return after

    def _cdata(self, buffer: bytes, position: int) -> int:
        end = buffer.find(b"]]>", position)
        if end < 0:
            return self._pass_but(buffer, position, 2)
        self._step = TokenStream._data
        self.other(buffer[position : end + 3])
        return end + 3

    def _raw(self, buffer: bytes, position: int) -> int:
        name = self.raw_element
        if name == b"plaintext":
            self.raw_text(buffer[position:])
            return len(buffer)
        end, safe = (
            self._script_end(buffer, position) if name == b"script" else self._raw_end(buffer, position, name)
        )
        if end >= 0:
            self._step = TokenStream._data
            if end > position:
                self.raw_text(buffer[position:end])
            self.raw_ended()
            self.raw_element = b""
            return end
        if safe <= position:
            return _WAIT
        self.raw_text(buffer[position:safe])
        return safe

    def _raw_end(self, buffer: bytes, position: int, name: bytes) -> tuple[int, int]:
        """Return the place of the end tag or -1, and up to where there is none."""
        found = _end_of(name).search(buffer, position)
        return (found.start() if found else -1), len(buffer) - len(name) - 2

    def _script_end(self, buffer: bytes, position: int) -> tuple[int, int]:
        """Do the same for a script, in which `<!-- <script>` holds another end tag."""
        while found := self._script.search(buffer, position):
            if found[0] == b"<!--":
                self._script, position = _ESCAPED, found.start() + 2
            elif found[0] == b"-->":
                self._script, self._script_nested, position = _SCRIPT, False, found.end()
            elif not found[0].startswith(b"</"):
                self._script_nested, position = True, found.end()
            elif self._script_nested:
                self._script_nested, position = False, found.end()
            else:
                return found.start(), found.start()
        return -1, max(position, len(buffer) - 8)
