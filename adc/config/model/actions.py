"""What a route does with a request that it took, other than sending it to one pool."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from adc.config.model.base import Finding, Part
from adc.config.model.types import (
    FieldName,
    FieldNames,
    FieldValue,
    FilePath,
    Regex,
    Text,
    share,
    text_of,
    whole,
)
from adc.config.units import quote

PLACEHOLDERS = ("scheme", "host", "path", "query")
"""What `{...}` in a redirect's target may name: `query` is the query string with its `?`, or nothing."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
FRAMING = frozenset(
    {"connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Fields that a proxy itself answers for (RFC 9110 section 7.6.1, RFC 9112 section 6)."""

REDIRECT_STATUSES = (301, 302, 303, 307, 308)


class Redirect(Part):
    """An answer that sends the client elsewhere. A bare string is `to`.

    The query string is kept when `to` names no `{query}` and has no `?` of its own.
    """

    to: Text = Field(description="Target; may hold {scheme}, {host}, {path} and {query}.")
    status: Annotated[int, whole(301, 308)] = Field(302, description="301, 302, 303, 307 or 308.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"to": value} if isinstance(value, str) else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        target, status = written.get("to"), written.get("status", 302)
        if isinstance(status, int) and status not in REDIRECT_STATUSES:
            yield ("status",), f"{status} is not one of: {', '.join(map(str, REDIRECT_STATUSES))}"
        if not isinstance(target, str):
            return
        for name in _PLACEHOLDER.findall(target):
            if name not in PLACEHOLDERS:
                allowed = ", ".join("{" + p + "}" for p in PLACEHOLDERS)
                yield ("to",), f"unknown placeholder {quote('{' + name + '}')}; allowed: {allowed}"
        if not target.isascii() or not target.isprintable() or " " in target or not target:
            yield ("to",), f"{quote(target)} is not a target: printable ASCII without spaces"


class Respond(Part):
    """A fixed answer made here. A bare number is `status`."""

    status: Annotated[int, whole(200, 599)] = Field(200, description="Status of the answer.")
    body: Text = Field("", description="Text of the answer, sent as UTF-8.")
    file: FilePath | None = Field(None, description="A file whose content is the body, instead of `body`.")
    headers: Mapping[FieldName, FieldValue] = Field({}, description="Fields of the answer.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"status": value} if isinstance(value, int) and not isinstance(value, bool) else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if "body" in written and "file" in written:
            yield ("file",), "an answer has either body or file, not both"
        if written.get("status") in (204, 205, 304) and ("body" in written or "file" in written):
            yield ("status",), f"an answer with status {written['status']} has no body"


class PathEdit(Part):
    """A replacement in the path by regular expression; `replace` may hold groups as `\\1` or `\\g<name>`."""

    regex: Regex = Field(description="What to look for; every occurrence is replaced.")
    replace: Text = Field(description="What to put there.")

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        regex, replacement = written.get("regex"), written.get("replace")
        if not isinstance(regex, str) or not isinstance(replacement, str):
            return
        try:
            compiled = re.compile(regex)
        except (re.error, OverflowError, RecursionError):
            return
        try:
            compiled.sub(replacement, "")
        except (re.error, IndexError) as error:
            yield ("replace",), f"{quote(replacement)} does not fit the regular expression: {error}"


class Rewrite(Part):
    """How the request to the member differs in path and host from what the client sent."""

    strip_prefix: Annotated[str, text_of(r"/[^?#\s]*", "a path prefix, such as /api")] | None = Field(
        None, description="Removed from the beginning of the path."
    )
    add_prefix: Annotated[str, text_of(r"/[^?#\s]*", "a path prefix, such as /v1")] | None = Field(
        None, description="Put before the path, after strip_prefix."
    )
    path: PathEdit | None = Field(None, description="A replacement in the path, after the prefixes.")
    host: (
        Annotated[str, text_of(r"[A-Za-z0-9_.\-\[\]:]{1,260}", "a host name, with :port if need be")] | None
    ) = Field(None, description="Host sent to the member instead of the client's.")


class HeaderEdits(Part):
    """Changes to fields: removed first, then set, then added."""

    set: Mapping[FieldName, FieldValue] = Field({}, description="Fields that replace any of the same name.")
    add: Mapping[FieldName, FieldValue] = Field({}, description="Fields added beside those of the same name.")
    remove: FieldNames = Field((), description="Names of fields to remove.")

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        for key in ("set", "add", "remove"):
            for name in written[key] if isinstance(written.get(key), dict | list) else ():
                if isinstance(name, str) and name.lower() in FRAMING:
                    yield (key,), f"{quote(name)} belongs to the framing of messages, which is not edited"


class Mirror(Part):
    """Requests copied to another pool, whose answers are thrown away. A bare string is `pool`."""

    pool: Text = Field(description="Name of the pool that gets the copies.")
    percent: Annotated[float, share()] = Field(
        1.0, description="Share of the requests that is copied, such as 10%."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"pool": value} if isinstance(value, str) else value
