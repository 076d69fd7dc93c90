"""The options of ip_access."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from adc.plugin import FilePath, Options


class NetworkFile(Options):
    """A list of networks in a file."""

    file: FilePath
    """File with one network or address a line; `#` and `;` begin a comment. It is read again when it changes."""


def _listed(written: object) -> object:
    listed = written if isinstance(written, list | tuple) else [written]
    for each in listed:
        if not isinstance(each, str | dict | NetworkFile):
            raise ValueError(f"{each!r} is not a network such as 10.0.0.0/8, all, or {{file: PATH}}")
    return tuple(listed)


Entry = str | NetworkFile
Entries = Annotated[tuple[Entry, ...], BeforeValidator(_listed)]
"""One or several networks."""


class Rule(Options):
    """One rule: `allow` or `deny`."""

    allow: Entries | None = None
    """Networks, addresses, `all`, or `{file: PATH}`; one or a list."""

    deny: Entries | None = None
    """The same."""

    @model_validator(mode="after")
    def _one_verdict(self) -> Rule:
        if (self.allow is None) == (self.deny is None):
            raise ValueError("a rule has either allow or deny")
        return self


class IpAccessOptions(Options):
    rules: tuple[Rule, ...] = ()
    """Rules in order; the first that has the address decides: `[{deny: 192.0.2.7}, {allow: 192.0.2.0/24}]`."""

    allow: Entries = ()
    """Short form: these are allowed, all others are not. Entries of `deny` come first."""

    deny: Entries = ()
    """Short form: these are denied; without `allow`, all others are allowed."""

    default: Literal["allow", "deny"] | None = None
    """Verdict on addresses that no rule has. By default `deny` if a rule allows something, else `allow`."""

    by: Literal["client", "peer"] = "client"
    """Address that counts: `client` as trusted proxies name it, or `peer`, the other end of the connection."""

    status: Annotated[int, Field(ge=400, le=599)] = 403
    """Status of a denied request."""

    abort: bool = False
    """Reset the connection of a denied request without a response."""

    dry_run: bool = False
    """Count and log what would be denied, and let it pass."""

    @model_validator(mode="after")
    def _one_form(self) -> IpAccessOptions:
        if self.rules and (self.allow or self.deny):
            raise ValueError("write either rules, or allow and deny")
        if not (self.rules or self.allow or self.deny):
            raise ValueError("there is no rule; write allow, deny or rules")
        return self

    def ordered(self) -> list[tuple[bool, Entries]]:
        """Return the rules in order: True for allow, and the entries."""
        rules = self.rules or (Rule(deny=self.deny), Rule(allow=self.allow))
        return [(rule.deny is None, rule.allow or rule.deny or ()) for rule in rules]
