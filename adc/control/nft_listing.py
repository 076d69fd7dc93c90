"""Reads the kernel's rules over netlink: nft would read all elements of all sets of the machine for any question."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from typing import TypeVar

from adc.control import nft_messages as messages_of
from adc.control.nft import NftFailed
from adc.control.nft_messages import GET_CHAIN, GET_ELEMENTS, GET_GENERATION, GET_OBJECT, GET_RULE, GET_SET
from adc.firewall.nftables.table import Names
from adc.sessions.conntrack import DONE, ERROR, BadMessage, error_of, messages

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds for one listing."""

_NETFILTER = 12
_BUFFER = 1 << 18
_MISSING = 2
"""ENOENT: there is no such table."""


def generation() -> int:
    """Return the number of the ruleset of this network namespace, which every change by any program raises.

    Raises NftFailed.
    """
    return _read(lambda: messages_of.generation_of(_asked(messages_of.request(GET_GENERATION, flags=0))))


def names(table: str) -> Names:
    """Return what our table has; nothing if it does not exist. Raises NftFailed."""
    found: dict[str, set[str]] = {}
    for kind in (GET_CHAIN, GET_SET, GET_OBJECT):
        for part in _parts(kind, table):
            word, name = messages_of.named(kind, part)
            if word:
                found.setdefault(word, set()).add(name)
    return Names({kind: frozenset(each) for kind, each in found.items()})


def shape(table: str, maps: Iterable[str]) -> bytes:
    """Return a digest of our table: its chains, rules and objects, and the elements of `maps`. Raises NftFailed."""
    digest = blake2b(digest_size=16)
    for kind in (GET_CHAIN, GET_SET, GET_OBJECT):
        for part in sorted(messages_of.fixed(kind, part) for part in _parts(kind, table)):
            digest.update(part)
    for kind, name in ((GET_RULE, ""), *((GET_ELEMENTS, name) for name in maps)):
        for body in _bodies(kind, table, name):
            digest.update(body[4:])
    return digest.digest()


def counters(table: str) -> dict[str, int]:
    """Return the packets of each counter of our table, by name. Raises NftFailed."""
    found = (messages_of.counter_of(part) for part in _parts(GET_OBJECT, table))
    return dict(counter for counter in found if counter is not None)


def _parts(kind: int, table: str) -> list[dict[int, bytes]]:
    return messages_of.parts_of(_bodies(kind, table), table)


def _bodies(kind: int, table: str, name: str = "") -> list[bytes]:
    return _read(lambda: list(_asked(messages_of.request(kind, table=table, name=name))))


def _read(read: Callable[[], T]) -> T:
    try:
        return read()
    except PermissionError:
        raise NftFailed(
            "the kernel's rules cannot be read; run adc as root or give it CAP_NET_ADMIN"
        ) from None
    except (OSError, BadMessage) as error:
        raise NftFailed(f"the kernel's rules cannot be read: {error}") from error


def _asked(request: bytes) -> Iterator[bytes]:
    """Yield the bodies of the reply. Raises OSError, BadMessage."""
    deadline = time.monotonic() + PATIENCE
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER) as kernel:
        kernel.settimeout(PATIENCE)
        kernel.bind((0, 0))
        kernel.send(request)
        while time.monotonic() < deadline:
            for kind, body in messages(kernel.recv(_BUFFER)):
                if kind == DONE:
                    return
                if kind == ERROR:
                    number = error_of(body)
                    if number == _MISSING:
                        return
                    raise OSError(number, "nftables refused the question")
                yield body
                if kind == messages_of.SUBSYSTEM | (GET_GENERATION - 1):
                    return
    raise TimeoutError(f"nftables did not list its rules within {PATIENCE:g} s")
