"""Actions of a route other than sending the request to one pool.

Values that `adc.routing` refuses to compile are rejected here, by the same code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar

from pydantic import Field

from adc.config.model.base import Finding, Forms, Part, refusal
from adc.config.model.types import (
    LISTED,
    TOKEN,
    FieldName,
    FieldNames,
    FieldValue,
    FilePath,
    Flag,
    Regex,
    Text,
    Value,
    is_regex,
    listed,
    one_of,
    share,
    text_of,
    whole,
)
from adc.config.units import quote
from adc.http.patterns import Replacement as CompiledReplacement
from adc.routing.edits import HeaderEdits as CompiledEdits
from adc.routing.redirect import STATUSES
from adc.routing.redirect import Redirect as CompiledRedirect
from adc.routing.rewrite import Rewrite as CompiledRewrite


def _status(value: Any) -> int:
    if isinstance(value, int) and value in STATUSES:
        return value
    raise ValueError(f"{quote(value)} is not one of: {', '.join(map(str, sorted(STATUSES)))}")


class Redirect(Part):
    """A response that redirects the client. A bare string is `to`.

    The query string is kept if `to` has neither `{query}` nor a `?`.
    """

    short_forms: ClassVar[Forms] = ({"type": "string"},)

    to: Text = Field(description="Target; may hold {scheme}, {host}, {path} and {query}.")
    status: Annotated[int, Value(_status, {"enum": sorted(STATUSES)})] = Field(
        302, description="301, 302, 303, 307 or 308."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"to": value} if isinstance(value, str) else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        target = written.get("to")
        if isinstance(target, str):
            yield from refusal(("to",), target, lambda: CompiledRedirect(target))


class Respond(Part):
    """A fixed response. A bare number is `status`."""

    short_forms: ClassVar[Forms] = ({"type": "integer"},)

    status: Annotated[int, whole(200, 599)] = Field(200, description="Status of the response.")
    body: Text = Field(
        "",
        description="Text of the response, sent as UTF-8. An error without body, file and content-type is a page.",
    )
    file: FilePath | None = Field(None, description="A file that is sent as the body, instead of `body`.")
    headers: Mapping[FieldName, FieldValue] = Field({}, description="Fields of the response.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"status": value} if isinstance(value, int) and not isinstance(value, bool) else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if "body" in written and "file" in written:
            yield ("file",), "an answer has either body or file, not both"
        if written.get("status") in (204, 205, 304) and ("body" in written or "file" in written):
            yield ("status",), f"an answer with status {written['status']} has no body"
        fields = written.get("headers")
        for name in fields if isinstance(fields, dict) else ():
            if TOKEN.fullmatch(name):
                yield from refusal(("headers", name), name, partial(CompiledEdits, {}, {}, (name,)))


class Replacement(Part):
    """A replacement by regular expression; `replace` may hold groups as `\\1` or `\\g<name>`."""

    regex: Regex = Field(description="The expression; every match is replaced.")
    replace: Text = Field(description="The replacement.")

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        regex, text = written.get("regex"), written.get("replace")
        if isinstance(regex, str) and isinstance(text, str) and is_regex(regex):
            yield from refusal(("replace",), text, partial(CompiledReplacement, regex, text))


Prefix = Annotated[str, text_of(r"/[^?#\s]*", "a path prefix, such as /api")]


class Rewrite(Part):
    """Difference in path and host between the client's request and the member's."""

    strip_prefix: Prefix | None = Field(
        None, description="Whole segments removed from the beginning of the path."
    )
    path: Annotated[tuple[Replacement, ...], LISTED] = Field(
        (), description="Replacements in the path, after strip_prefix and before add_prefix."
    )
    add_prefix: Prefix | None = Field(None, description="Prefix added to the path.")
    host: Text | None = Field(None, description="Host sent to the member instead of the client's.")
    locations: Flag | None = Field(
        None,
        description=(
            "Rewrite Location, Content-Location, Refresh, Link and the Path and Domain of cookies back to the "
            "client's paths and host, and Destination to the member's; true by default if strip_prefix, add_prefix "
            "or host is set."
        ),
    )

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        for key in ("strip_prefix", "add_prefix"):
            prefix = written.get(key)
            if isinstance(prefix, str) and prefix.startswith("/"):
                yield from refusal((key,), prefix, partial(CompiledRewrite, add_prefix=prefix))
        host = written.get("host")
        if isinstance(host, str):
            yield from refusal(("host",), host, lambda: CompiledRewrite(host=host))


class HeaderEdits(Part):
    """Changes to fields: values replaced first, then fields removed, set, and added. Values to set and to add may hold
    placeholders in braces."""

    set: Mapping[FieldName, FieldValue] = Field(
        {}, description="Fields that replace existing ones of the same name."
    )
    add: Mapping[FieldName, FieldValue] = Field(
        {}, description="Fields added to existing ones of the same name."
    )
    remove: FieldNames = Field((), description="Names of fields to remove.")
    replace: Mapping[FieldName, Annotated[tuple[Replacement, ...], LISTED]] = Field(
        {},
        description=(
            "Replacements by regular expression in the values of a field, each of its lines by itself; a line "
            "without a match stays, one that becomes empty is removed."
        ),
    )

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        for key in ("set", "add"):
            fields = written.get(key)
            for name, value in fields.items() if isinstance(fields, dict) else ():
                if isinstance(value, str) and TOKEN.fullmatch(name):
                    yield from refusal((key, name), value, partial(CompiledEdits, {name: value}, {}, ()))
        names = listed(written.get("remove", ()))
        for place, name in enumerate(names):
            if isinstance(name, str) and TOKEN.fullmatch(name):
                yield from refusal(("remove", place), name, partial(CompiledEdits, {}, {}, (name,)))
        replaced = written.get("replace")
        for name in replaced if isinstance(replaced, dict) else ():
            if TOKEN.fullmatch(name):
                yield from refusal(("replace", name), name, partial(CompiledEdits, {}, {}, (name,)))


class Mirror(Part):
    """Copies of requests to another pool, whose responses are discarded. A bare string is `pool`."""

    short_forms: ClassVar[Forms] = ({"type": "string"},)

    pool: Text = Field(description="Name of the pool that receives the copies.")
    percent: Annotated[float, share()] = Field(
        1.0, description="Share of the requests that are copied, such as 10%."
    )
    compare: Annotated[str, one_of("off", "size", "body")] = Field(
        "off",
        description="Compare responses with those to the copies: status and size of the content (size), or a digest "
        "of it too (body); differences are counted and logged.",
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"pool": value} if isinstance(value, str) else value
