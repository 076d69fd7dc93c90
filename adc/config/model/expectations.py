"""Expectations written beside the routes, for `adc test`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from adc.config.model.base import Finding, Forms, Part
from adc.config.model.types import FieldName, FieldValue, Method, Text, text_of, whole

Source = Annotated[str, text_of(r"[0-9A-Fa-f:.]{2,45}", "an address such as 192.0.2.1")]


class ExpectedRequest(Part):
    """The request of an expectation. A bare string is `url`."""

    short_forms: ClassVar[Forms] = ({"type": "string"},)

    method: Method = Field("GET", description="Method.")
    url: Annotated[
        str, text_of(r"(?:https?:/)?/[\x21-\x7e]*", "a path, or an http:// or https:// address")
    ] = Field(description="A path, or a whole URL whose host counts.")
    headers: Mapping[FieldName, FieldValue] = Field({}, description="Fields.")
    source: Source = Field("127.0.0.1", description="Client address.")
    listener: Text | None = Field(
        None, description="Listener that accepts the request; the first one by default."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value


class Expected(Part):
    """Expected outcome; keys that are absent are not compared."""

    route: Text | None = Field(None, description="Name of the route that matches; none for no route.")
    pool: Text | None = Field(
        None, description="Pool that receives the request; with split any of its pools."
    )
    status: Annotated[int, whole(100, 599)] | None = Field(
        None, description="Status of a response made by adc."
    )
    redirect: Text | None = Field(None, description="Location of a redirect.")
    path: Text | None = Field(None, description="Path that the member receives.")
    host: Text | None = Field(None, description="Host that the member receives.")

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if not written:
            yield (), f"expect needs at least one of: {', '.join(cls.written_keys())}"


class Expectation(Part):
    """One request and its expected outcome."""

    name: Text = Field("", description="Name in reports; the request by default.")
    request: ExpectedRequest = Field(description="The request.")
    expect: Expected = Field(description="The expected outcome.")
