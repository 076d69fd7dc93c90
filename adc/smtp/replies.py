"""Replies: of members as clients get them, of adc, and of several members joined to one. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

MOST_LINES: Final = 20
MOST_BYTES: Final = 480
"""Bytes of a line's text; RFC 5321 section 4.5.3.1.5 allows 512 for the line."""

_NOT_TEXT = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?= |$)")


class Reply(NamedTuple):
    """A status and its lines of text, which begin with an enhanced status code (RFC 3463) if there is one."""

    status: int
    lines: tuple[str, ...]

    @property
    def kind(self) -> int:
        """2 accepted, 3 go on, 4 later, 5 never."""
        return self.status // 100

    @property
    def text(self) -> str:
        """The text in one line."""
        return " ".join(self.lines)

    def wire(self) -> bytes:
        """Return the reply without its last line end."""
        *first, last = self.lines or ("",)
        lines = [f"{self.status}-{line}" for line in first] + [f"{self.status} {last}".rstrip()]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def reply_of(status: int, text: str) -> Reply:
    """Return a reply of adc; `text` begins with an enhanced status code."""
    return Reply(status, (text,))


def of_member(status: int, message: str) -> Reply:
    """Return a member's reply, bounded and without control characters, which could make two replies of one.

    A status that is no reply to a command counts as 451.
    """
    lines = [_bounded(_NOT_TEXT.sub("?", line)) for line in message.split("\n")[:MOST_LINES]]
    if not 200 <= status <= 599:
        return reply_of(451, "4.5.0 The mail server's reply is not valid")
    return Reply(status, tuple(lines))


def _bounded(text: str) -> str:
    """Return as much of `text` as fits into a line, whole characters only."""
    data = text.encode("utf-8", "surrogateescape")
    return text if len(data) <= MOST_BYTES else data[:MOST_BYTES].decode("utf-8", "ignore")


def passable(reply: Reply) -> Reply:
    """Return a member's reply for a client: 421 closes the member's connection, not the client's."""
    return reply._replace(status=451) if reply.status == 421 else reply


def enhanced(given: Reply, code: str) -> str:
    """Return the enhanced status code of a reply, `code` if it has none."""
    found = _ENHANCED.match(given.text)
    return found[0] if found else code


UNREACHABLE = reply_of(451, "4.4.1 No mail server can be reached, try again later")
LOST = reply_of(451, "4.4.2 The mail server closed the connection, try again later")
SILENT = reply_of(451, "4.4.2 The mail server did not reply in time, try again later")


class Result(NamedTuple):
    """What the members of one pool said to the message for `recipients`."""

    recipients: Sequence[str]
    reply: Reply


def joined(results: Sequence[Result]) -> Reply:
    """Return the reply to a message that went to several pools, so that no recipient loses it.

    The message is accepted only if all pools accepted it. Else a temporary failure of any pool makes the client send
    the whole message again, and pools that accepted it receive it twice. If some pools accepted and the others rejected
    permanently, the reply is permanent and names the recipients that did not get the message.
    """
    failed = [result for result in results if result.reply.kind != 2]
    if not failed:
        return results[0].reply
    temporary = [result for result in failed if result.reply.kind != 5]
    if len(failed) == len(results):
        return (temporary or failed)[0].reply
    if temporary:
        cause = temporary[0].reply
        text = f"{enhanced(cause, '4.3.0')} Not delivered to all recipients, try again: {cause.text}"
        return reply_of(451, _bounded(text))
    cause = failed[0].reply
    names = ", ".join(f"<{name}>" for result in failed for name in result.recipients)
    text = f"{enhanced(cause, '5.0.0')} Delivered, but not to {names[:200]}: {cause.text}"
    return reply_of(554, _bounded(text))
