"""What a listener with `protocol: smtp` does with mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from adc.config.model.base import Finding, Forms, Part, exactly_one
from adc.config.model.match import HostRules
from adc.config.model.types import (
    LISTED,
    OFF,
    FilePath,
    Flag,
    Hostname,
    Name,
    Networks,
    Regex,
    byte_size,
    duration,
    one_of,
    text_of,
    whole,
)

STARTTLS = ("off", "optional", "required")
EXTENSIONS = ("DSN", "SMTPUTF8")
"""Extensions that work only if the members have them."""


def _word(value: Any, *, of: str) -> Any:
    """Accept `off` without quotes, which is false in YAML."""
    return of if value is False else value


Starttls = Annotated[str, one_of(*STARTTLS), BeforeValidator(partial(_word, of="off"))]
Extension = Annotated[str, one_of(*EXTENSIONS)]
Mailbox = Annotated[
    str,
    text_of(
        r"<>|(?i:postmaster)|[^\s<>]+@[^\s<>]+",
        "a mail address, such as ann@example.com, or <> for the empty sender",
    ),
]


class AddressRule(Part):
    """A rule about a mail address; exactly one key is set. A bare string is `exact`."""

    short_forms: ClassVar[Forms] = ({"type": "string"},)

    exact: Mailbox | None = Field(
        None, description="The whole address in any letter case; `<>` is the empty sender."
    )
    regex: Regex | None = Field(
        None,
        description="A regular expression searched for in the lower-case address, whose domain is in ASCII form.",
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"exact": value} if isinstance(value, str) else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        return exactly_one(written, cls.written_keys(), "an address rule")


AddressRules = Annotated[tuple[AddressRule, ...], LISTED]


class SizeRange(Part):
    """A range of message sizes, both ends included."""

    min: Annotated[int, byte_size("0B", "1TB")] | None = Field(None, description="Smallest size.")
    max: Annotated[int, byte_size("0B", "1TB")] | None = Field(None, description="Largest size.")

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if not written:
            yield (), "needs min, max or both"


class SmtpMatch(Part):
    """Several keys mean all of them; a list means any of its items; no key matches every recipient."""

    rcpt_domain: HostRules = Field((), description="Domain of the recipient.")
    rcpt: AddressRules = Field((), description="Address of the recipient.")
    sender_domain: HostRules = Field((), description="Domain of the sender.")
    sender: AddressRules = Field((), description="Address of the sender.")
    source: Networks = Field((), description="Address of the client.")
    sni: HostRules = Field((), description="Server name that the client sent in the TLS handshake.")
    size: SizeRange | None = Field(
        None, description="Size that MAIL declares (SIZE=); a message without it does not match."
    )
    authenticated: Flag | None = Field(
        None, description="True: clients that authenticated themselves; false: the others."
    )


class SmtpRoute(Part):
    """The pool of the recipients that `match` matches."""

    match: SmtpMatch = Field(SmtpMatch.defaults(), description="Conditions; none: every recipient.")
    pool: Name = Field(description="Pool whose members receive the message.")


class SmtpAuth(Part):
    """Authentication of clients (AUTH PLAIN and LOGIN, RFC 4954); exactly one of `pool` and `file` is set."""

    pool: Name | None = Field(
        None,
        description="Pool whose members verify the credentials; mail to this pool is sent authenticated.",
    )
    file: FilePath | None = Field(
        None,
        description=(
            "File of lines `user:hash`, as htpasswd -B writes it; bcrypt and argon2 hashes. Read again when it changes."
        ),
    )
    without_tls: Flag = Field(False, description="Offer AUTH on connections without TLS too.")
    required: Flag = Field(False, description="Reject mail of clients that did not authenticate themselves.")

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        return exactly_one(written, ("pool", "file"), "auth")


class SmtpLimits(Part):
    """Limits of one connection."""

    size: Annotated[int, byte_size("1KB", "1TB")] = Field(
        50 << 20, description="Maximum size of a message, announced as SIZE; larger ones get 552."
    )
    recipients: Annotated[int, whole(1, 100_000)] = Field(
        1000,
        description=(
            "Maximum number of recipients of a message; further ones get 452. After as many rejected ones since the "
            "last message 421."
        ),
    )
    messages: Annotated[int, whole(0, 1_000_000)] = Field(
        0, description="Number of messages after which a connection is closed with 421; 0: no limit."
    )
    idle_commands: Annotated[int, whole(1, 100_000)] = Field(
        100, description="Maximum number of commands without a message in between; then 421."
    )
    errors: Annotated[int, whole(1, 10_000)] = Field(
        20, description="Maximum number of rejected commands since the last message; then 421."
    )
    line: Annotated[int, byte_size("998B", "16MB")] = Field(
        65_536, description="Maximum length of a line of a message; longer ones get 554."
    )
    hops: Annotated[int, whole(1, 1000)] = Field(
        50, description="Maximum number of Received fields; a message with more is in a loop and gets 554."
    )


class SmtpTimeouts(Part):
    """Timeouts towards clients and members."""

    command: Annotated[float, duration("1s", "1h")] = Field(
        300.0, description="Maximum wait for the next command of the client; then 421."
    )
    content: Annotated[float, duration("1s", "1h")] = Field(
        180.0, description="Maximum wait for the next part of a message; then 421."
    )
    message: Annotated[float, duration("1s", "1d")] = Field(
        3600.0, description="Maximum time for a whole message; then 421."
    )
    connect: Annotated[float, duration("10ms", "5m")] = Field(
        10.0,
        description="Maximum time to reach a member, with TLS and EHLO; then the next one is tried.",
    )
    reply: Annotated[float, duration("100ms", "1h")] = Field(
        300.0, description="Maximum wait for a member's reply to a command; then 451."
    )
    delivery: Annotated[float, duration("100ms", "1h")] = Field(
        600.0, description="Maximum wait for a member's reply to a whole message; then 451."
    )


class SmtpLog(Part):
    """One line per message and pool, and one per rejected sender or recipient."""

    path: FilePath = Field(description="File to append to.")
    format: Annotated[str, one_of("text", "json")] = Field("text", description="text or json.")


class Smtp(Part):
    """Mail routing; the first route that matches a recipient chooses its pool."""

    routes: Annotated[tuple[SmtpRoute, ...], LISTED] = Field(
        min_length=1, description="Routes in order; the first match wins. A recipient without one gets 550."
    )
    hostname: Hostname | None = Field(
        None, description="Name in the greeting and in Received; the node's name by default."
    )
    starttls: Starttls = Field(
        "optional",
        description=(
            "STARTTLS of a listener with tls: optional, required (before MAIL), or off: TLS from the first byte."
        ),
    )
    auth: Annotated[SmtpAuth | None, OFF] = Field(None, description="Authentication of clients.")
    extensions: Annotated[tuple[Extension, ...], LISTED] = Field(
        (), description="Extensions that all members have and clients may use: DSN, SMTPUTF8."
    )
    split: Flag = Field(
        True,
        description=(
            "Send a message for recipients of several pools to all of them. false: recipients of other pools than "
            "the first one's get 452, and the client sends them in a transaction of their own."
        ),
    )
    received: Flag = Field(True, description="Add a Received field (RFC 5321 section 4.4).")
    xclient: Flag = Field(
        False, description="Send the client's address and name with XCLIENT to members that offer it."
    )
    limits: SmtpLimits = Field(SmtpLimits.defaults(), description="Limits of one connection.")
    timeouts: SmtpTimeouts = Field(
        SmtpTimeouts.defaults(), description="Timeouts towards clients and members."
    )
    log: Annotated[SmtpLog | None, OFF] = Field(
        None, description="One line per message and pool, and one per rejected sender or recipient."
    )


def contradictions(written: Mapping[str, Any]) -> Iterable[Finding]:
    """Yield what contradicts the `smtp` part of a listener; the values may still be of any type."""
    protocol, smtp = written.get("protocol", "http"), written.get("smtp")
    if protocol != "smtp":
        return
    if smtp is None:
        yield (), "a listener with protocol: smtp needs smtp: {routes: [{pool: NAME}]}"
    if not isinstance(smtp, Mapping):
        return
    if "starttls" in smtp and not written.get("tls"):
        yield ("smtp", "starttls"), "has no effect without tls"
    auth = smtp.get("auth")
    if isinstance(auth, Mapping) and auth.get("without_tls") is not True and not written.get("tls"):
        yield ("smtp", "auth"), "is offered under TLS only; give the listener tls, or write without_tls: true"
