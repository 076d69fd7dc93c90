"""Mailboxes in MAIL and RCPT (RFC 5321 section 4.1.2, with UTF-8 of RFC 6531). No I/O.

Strict, and members get the mailbox as it was understood: another reading of the same text could lead to another
domain than the one that chose the pool.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_ATOM: Final = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\u0080-\U0010ffff]+"
_QUOTED: Final = r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e\u0080-\U0010ffff]|\\[\x20-\x7e])*"'
_LABEL: Final = (
    r"[A-Za-z0-9_\u0080-\U0010ffff](?:[A-Za-z0-9_\-\u0080-\U0010ffff]*[A-Za-z0-9_\u0080-\U0010ffff])?"
)
_DOMAIN: Final = rf"{_LABEL}(?:\.{_LABEL})*"
_LITERAL: Final = r"\[[0-9A-Za-z.:\-]{1,60}\]"
_ROUTE: Final = rf"(?:@{_DOMAIN}(?:,@{_DOMAIN})*:)?"
_MAILBOX: Final = rf"({_ATOM}(?:\.{_ATOM})*|{_QUOTED})@({_DOMAIN}|{_LITERAL})"
_DOT_ATOM: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_ESCAPED: Final = re.compile(r"\\(.)")
_PATH: Final = re.compile(rf"<{_ROUTE}{_MAILBOX}>|{_MAILBOX}")

MOST_PATH: Final = 1000
MOST_LOCAL: Final = 64
MOST_DOMAIN: Final = 255


class Mailbox(NamedTuple):
    """`local@domain` as written; both are empty for the empty sender, `domain` for a bare `postmaster`."""

    local: str
    domain: str

    @property
    def address(self) -> str:
        """The address without angle brackets."""
        return f"{self.local}@{self.domain}" if self.domain else self.local

    @property
    def ascii(self) -> bool:
        """True if a member needs no SMTPUTF8 for it."""
        return self.address.isascii()


EMPTY = Mailbox("", "")


def plain(mailbox: Mailbox) -> Mailbox:
    """Return the mailbox without quotes that it does not need: `"ann"@x` is `ann@x` (RFC 5321 section 4.1.2)."""
    if not mailbox.local.startswith('"'):
        return mailbox
    local = _ESCAPED.sub(r"\1", mailbox.local[1:-1])
    return mailbox._replace(local=local) if _DOT_ATOM.fullmatch(local) else mailbox


def split_path(argument: str, keyword: str) -> tuple[str, str] | None:
    """Return path and parameters of the argument of MAIL (`FROM:`) or RCPT (`TO:`), None if it has another form."""
    if argument[: len(keyword)].upper() != keyword:
        return None
    text = argument[len(keyword) :].lstrip(" ")
    end = _end(text)
    return (text[:end], text[end:].strip(" ")) if text[end : end + 1] in ("", " ") else None


def _end(text: str) -> int:
    """Return where the path ends, with regard to quoted local parts."""
    quoted = escaped = False
    for place, character in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
        elif not quoted and character == ">":
            return place + 1
        elif not quoted and character == " ":
            return place
    return len(text)


def parse_path(path: str) -> Mailbox | None:
    """Return the mailbox of `<local@domain>` or `local@domain`, None if it is none.

    A source route in front is dropped (RFC 5321 appendix C).
    """
    found = _PATH.fullmatch(path) if len(path) <= MOST_PATH else None
    if found is None:
        return None
    local, domain = (found[1], found[2]) if found[1] is not None else (found[3], found[4])
    try:
        long = len(local.encode()) > MOST_LOCAL or len(domain.encode()) > MOST_DOMAIN
    except UnicodeEncodeError:  # bytes that are not UTF-8
        return None
    if long:
        return None
    return Mailbox(local, domain)


def parse_sender(path: str) -> Mailbox | None:
    """Return the sender; `<>` is the empty one."""
    return EMPTY if path == "<>" else parse_path(path)


def parse_recipient(path: str) -> Mailbox | None:
    """Return the recipient; `<postmaster>` may have no domain (RFC 5321 section 4.1.1.3)."""
    return Mailbox(path[1:-1], "") if path.lower() == "<postmaster>" else parse_path(path)
