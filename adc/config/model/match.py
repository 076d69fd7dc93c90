"""Conditions under which a route matches a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from adc.config.model.base import Finding, Forms, Part, exactly_one, refusal
from adc.config.model.types import LISTED, FieldName, Flag, Method, Networks, Regex, Text, is_regex
from adc.routing.hosts import Wildcard, host_rule
from adc.routing.paths import any_case, path_rule
from adc.routing.values import Regex as RegexRule


class TextRule(Part):
    """A rule about one text; exactly one key is set. A bare string means `exact`."""

    short_forms: ClassVar[Forms] = ({"type": "string"},)

    exact: Text | None = Field(None, description="The whole text.")
    prefix: Text | None = Field(None, description="The beginning of the text; for a path by whole segments.")
    regex: Regex | None = Field(None, description="A regular expression searched for in the text.")
    present: Flag | None = Field(None, description="True: the field must exist; false: it must be absent.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"exact": value} if isinstance(value, str | int | float) else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        return exactly_one(written, cls.written_keys(), "a rule")


class PathRule(Part):
    """A rule about the path; exactly one of `exact`, `prefix` and `regex` is set.

    A bare string is a `prefix` if it ends in `/`, else `exact`.
    """

    short_forms: ClassVar[Forms] = ({"type": "string"},)

    exact: Text | None = Field(None, description="The whole path.")
    prefix: Text | None = Field(None, description="The beginning of the path, by whole segments.")
    regex: Regex | None = Field(None, description="A regular expression searched for in the path.")
    ignore_case: Flag = Field(False, description="Ignore letter case, for members that do so.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return {"prefix" if value.endswith("/") else "exact": value}

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        yield from exactly_one(written, ("exact", "prefix", "regex"), "a path rule")
        for key in ("exact", "prefix"):
            path = written.get(key)
            if isinstance(path, str):
                yield from refusal((key,), path, partial(path_rule, path))
        regex = written.get("regex")
        if written.get("ignore_case") is True and isinstance(regex, str) and is_regex(regex):
            yield from refusal(("regex",), regex, partial(_any_case_regex, regex))


def _any_case_regex(regex: str) -> None:
    any_case(RegexRule(regex))


class HostRule(Part):
    """A rule about the host; exactly one key is set.

    A bare string is a `wildcard` if it begins with `*.`, else `exact`.
    """

    short_forms: ClassVar[Forms] = ({"type": "string"},)

    exact: Text | None = Field(None, description="The whole host name, without the port.")
    wildcard: Text | None = Field(
        None, description="*.example.com: any name below example.com, but not example.com."
    )
    regex: Regex | None = Field(
        None, description="A regular expression searched for in the lower-case host name."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return {"wildcard" if value.startswith("*.") else "exact": value.lower()}

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        yield from exactly_one(written, cls.written_keys(), "a host rule")
        for key in ("exact", "wildcard"):
            host = written.get(key)
            if isinstance(host, str):
                yield from refusal((key,), host, partial(_host_rule, host, key))


def _host_rule(host: str, key: str) -> None:
    if isinstance(host_rule(host), Wildcard) != (key == "wildcard"):
        raise ValueError("a wildcard begins with *. and only a wildcard does")


def _lower_keys(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name.lower(): rules for name, rules in fields.items()}


HostRules = Annotated[tuple[HostRule, ...], LISTED]
PathRules = Annotated[tuple[PathRule, ...], LISTED]
TextRules = Annotated[tuple[TextRule, ...], LISTED]
Methods = Annotated[tuple[Method, ...], LISTED]


class TlsMatch(Part):
    """Conditions on the TLS handshake."""

    sni: HostRules = Field((), description="Server name that the client sent in the handshake (SNI).")


class Match(Part):
    """Several keys mean all of them; a list means any of its items; no key matches everything."""

    host: HostRules = Field((), description="Host of the request, without the port.")
    path: PathRules = Field((), description="Normalised path.")
    method: Methods = Field((), description="Request method.")
    headers: Annotated[Mapping[FieldName, TextRules], AfterValidator(_lower_keys)] = Field(
        {}, description="Request fields by name (in any case)."
    )
    query: Mapping[Text, TextRules] = Field({}, description="Query parameters by name.")
    cookies: Mapping[Text, TextRules] = Field({}, description="Cookies by name.")
    source: Networks = Field((), description="Client addresses, after the rules for trusted proxies.")
    tls: TlsMatch = Field(TlsMatch.defaults(), description="Conditions on the TLS handshake.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        """Read `tls.sni: x` as `tls: {sni: x}`."""
        if isinstance(value, dict) and "tls.sni" in value and "tls" not in value:
            rest = {key: item for key, item in value.items() if key != "tls.sni"}
            return rest | {"tls": {"sni": value["tls.sni"]}}
        return value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        shown = super().__get_pydantic_json_schema__(schema, handler)
        properties = handler.resolve_ref_schema(shown)["properties"]
        properties["tls.sni"] = {"description": "The same as tls: {sni: ...}."}
        return shown
