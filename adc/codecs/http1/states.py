"""States of HTTP/1.1 connections, and the transitions between them.

The state of a client's connection says what its next bytes mean; that of a connection to a member says how the response
is read. They are numbers, because the compiled code compares them for nothing. The code assigns them where something
happens; the tests look up every assignment in these tables.
"""

from __future__ import annotations

from typing import Final

# A client's connection.

HEAD: Final = 0
"""Bytes of a request head, or nothing yet."""
ODD_HEAD: Final = 1
"""The rest of a head that the parser rejected, but that may be read another way once it is complete."""
BODY: Final = 2
"""Content of known length."""
CHUNKED: Final = 3
"""Chunked content."""
UPGRADING: Final = 4
"""Content of a request whose response has switched protocols; a tunnel follows."""
TUNNEL: Final = 5
"""Bytes of another protocol."""
PIPELINED: Final = 6
"""Requests behind the current one, which is complete: they are kept unparsed until its response is."""
DISCARD: Final = 7
"""Bytes that are dropped while the last response is being sent. No request is read in this state or a later one."""
LINGER: Final = 8
"""Bytes that are dropped: everything was sent, and the client has a while to read it and close."""
CLOSING: Final = 9
"""No bytes: the connection closes once the client has everything."""
CLOSED: Final = 10
"""The connection is closed."""

CLIENT_STATES: Final = (
    "HEAD",
    "ODD_HEAD",
    "BODY",
    "CHUNKED",
    "UPGRADING",
    "TUNNEL",
    "PIPELINED",
    "DISCARD",
    "LINGER",
    "CLOSING",
    "CLOSED",
)
CLIENT_TRANSITIONS: Final[dict[int, tuple[int, ...]]] = {
    HEAD: (ODD_HEAD, BODY, CHUNKED, PIPELINED, DISCARD, CLOSING, CLOSED),
    ODD_HEAD: (BODY, CHUNKED, PIPELINED, DISCARD, CLOSING, CLOSED),
    BODY: (PIPELINED, UPGRADING, DISCARD, CLOSING, CLOSED),
    CHUNKED: (PIPELINED, DISCARD, CLOSING, CLOSED),
    UPGRADING: (TUNNEL, DISCARD, CLOSING, CLOSED),
    TUNNEL: (DISCARD, CLOSING, CLOSED),
    PIPELINED: (HEAD, TUNNEL, DISCARD, CLOSING, CLOSED),
    DISCARD: (LINGER, CLOSING, CLOSED),
    LINGER: (CLOSING, CLOSED),
    CLOSING: (CLOSED,),
    CLOSED: (),
}

# A connection to a member.

IDLE: Final = 0
"""No request was sent, or the response to the last one is complete and delivered."""
RESPONSE_HEAD: Final = 1
"""The head of the response, interim ones before it."""
ODD_RESPONSE_HEAD: Final = 2
"""A head that the parser rejected, which is read in strict form."""
RESPONSE_BODY: Final = 3
"""Content of known length."""
RESPONSE_REST: Final = 4
"""The rest of long content of known length, which the parser does not see."""
RESPONSE_CHUNKS: Final = 5
"""Chunked content, decoded by the parser."""
ODD_CHUNKS: Final = 6
"""Chunked content that the parser rejected, decoded by ours."""
UNTIL_CLOSE: Final = 7
"""Content up to the end of the connection, of which the parser sees what comes with the head."""
RESPONSE_TUNNEL: Final = 8
"""Bytes of another protocol."""
COMPLETE: Final = 9
"""The response is complete, but not delivered yet."""
LOST: Final = 10
"""The connection is closed."""

MEMBER_STATES: Final = (
    "IDLE",
    "RESPONSE_HEAD",
    "ODD_RESPONSE_HEAD",
    "RESPONSE_BODY",
    "RESPONSE_REST",
    "RESPONSE_CHUNKS",
    "ODD_CHUNKS",
    "UNTIL_CLOSE",
    "RESPONSE_TUNNEL",
    "COMPLETE",
    "LOST",
)
_BODIES: Final = (RESPONSE_BODY, RESPONSE_CHUNKS, UNTIL_CLOSE, RESPONSE_TUNNEL, COMPLETE)
MEMBER_TRANSITIONS: Final[dict[int, tuple[int, ...]]] = {
    IDLE: (RESPONSE_HEAD, LOST),
    RESPONSE_HEAD: (*_BODIES, ODD_RESPONSE_HEAD, LOST),
    ODD_RESPONSE_HEAD: (*_BODIES, LOST),
    RESPONSE_BODY: (RESPONSE_REST, COMPLETE, LOST),
    RESPONSE_REST: (COMPLETE, LOST),
    RESPONSE_CHUNKS: (ODD_CHUNKS, COMPLETE, LOST),
    ODD_CHUNKS: (COMPLETE, LOST),
    UNTIL_CLOSE: (COMPLETE, LOST),
    RESPONSE_TUNNEL: (LOST,),
    COMPLETE: (IDLE, LOST),
    LOST: (),
}
