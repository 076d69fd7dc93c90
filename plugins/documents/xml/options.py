"""Options of `xml_validation`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from adc_plugins.documents.refusal import Answer, OnInvalid
from adc_plugins.documents.selection import On, OtherTypes
from adc_plugins.documents.xml.encoding import KNOWN, canonical
from adc_plugins.documents.xml.limits import XmlLimits
from adc_plugins.documents.xml.soap import ActionRule, SoapRules
from pydantic import BeforeValidator, Field, model_validator

from adc.plugin import ContentTypes, FilePath, Options, Size

XML_TYPES = ("text/xml", "application/xml", "application/*+xml", "image/*+xml", "text/*+xml", "model/*+xml")


def _encoding(value: object) -> str:
    name = canonical(value) if isinstance(value, str) else ""
    if name not in KNOWN:
        raise ValueError(f"{value!r} is not an encoding that can be allowed; use {', '.join(KNOWN)}")
    return name


def _version(value: object) -> object:
    return str(value) if isinstance(value, float) else value


def _operation(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class SoapOperation(Options):
    """An operation that clients may call."""

    name: str = Field(min_length=1)
    """Name of the element in the Body: `GetPrice`, or with its namespace `{urn:shop}GetPrice`."""
    action: str = ""
    """Its SOAP action; any that ends in the local name by default."""

    @property
    def key(self) -> str:
        """The name as the parser gives it."""
        return self.name.removeprefix("{").replace("}", " ", 1) if self.name.startswith("{") else self.name


class SoapOptions(Options):
    """Checks of SOAP envelopes."""

    versions: tuple[Annotated[Literal["1.1", "1.2"], BeforeValidator(_version)], ...] = Field(
        ("1.1", "1.2"), min_length=1
    )
    """Allowed versions of SOAP."""
    operations: tuple[Annotated[SoapOperation, BeforeValidator(_operation)], ...] = ()
    """Allowed operations, as names or as `{name, action}`; all by default."""
    action: ActionRule = "agree"
    """`agree`: an action that the request names must be that of its operation; `require`: it must name one;
    `ignore`."""

    @property
    def rules(self) -> SoapRules:
        """The same for the envelope's check."""
        return SoapRules(self.versions, {each.key: each.action for each in self.operations}, self.action)


def _soap(value: object) -> Any:
    return {} if value is True else None if value is False else value


class XmlValidationOptions(Options):
    """What XML must be like."""

    xsd: FilePath | None = Field(None, alias="schema")
    """XSD 1.0 schema that documents must satisfy; with `soap`, the content of the Body."""
    relax_ng: FilePath | None = None
    """RELAX NG schema, in the XML syntax or, in a file called `*.rnc`, in the compact one."""
    schematron: FilePath | None = None
    """ISO Schematron schema."""
    soap: Annotated[SoapOptions | None, BeforeValidator(_soap)] = None
    """Documents are SOAP envelopes: `true`, or which ones."""
    on: On = "request"
    """`request`, `response` or `both`: which messages are checked."""
    content_types: ContentTypes = Field(XML_TYPES, validate_default=True)
    """Media types that are XML."""
    other_types: OtherTypes = "sniff"
    """Requests of another type, or of none: `sniff` checks content that begins like XML, `pass` never, `reject` refuses
    the request with 415. `multipart/related`, which has a document inside (MTOM), passes with `pass` only."""
    on_invalid: OnInvalid = "reject"
    """`reject`: 400 for a request, 502 for a response. `report`: the message passes, an event is logged, and the member
    gets the field `X-Validation`."""
    answer: Answer = "problem"
    """Body of a 400: `problem` (RFC 9457, with line and reason; with `soap` a SOAP fault) or adc's error `page`."""
    encodings: tuple[Annotated[str, BeforeValidator(_encoding)], ...] = Field(KNOWN, min_length=1)
    """Allowed encodings."""
    schema_locations: Literal["reject", "ignore"] = "reject"
    """Attributes `xsi:schemaLocation`, which the application may follow: `reject`, or `ignore`. adc never follows
    them."""
    max_size: Size = Field(1 << 20, ge=1)
    """Bytes of a document, decoded and as UTF-8. With a schema, a document is buffered up to this size."""
    max_depth: int = Field(64, ge=1, le=2000)
    """Depth of nested elements."""
    max_nodes: int = Field(30_000, ge=1)
    """Elements and attributes of a document."""
    max_attributes: int = Field(100, ge=0)
    """Attributes and namespace declarations of one element."""
    max_attribute_size: Size = 64 << 10
    """Characters of an attribute."""
    max_name_length: int = Field(256, ge=1)
    """Characters of a name."""
    max_names: int = Field(2_000, ge=1)
    """Different names in a document."""
    max_namespaces: int = Field(64, ge=0)
    """Namespace declarations in scope."""
    max_text: Size = 1 << 20
    """Characters of text between two tags."""
    max_markup: Size = Field(128 << 10, ge=1)
    """Bytes of one tag, comment or processing instruction."""

    @model_validator(mode="after")
    def _check_soap(self) -> XmlValidationOptions:
        if self.soap is not None:
            keys = [each.key for each in self.soap.operations]
            for key in keys:
                if keys.count(key) > 1:
                    raise ValueError(f"soap: the operation {key!r} is listed twice")
        return self

    @property
    def limits(self) -> XmlLimits:
        """The limits for the guard."""
        return XmlLimits(
            self.max_size,
            self.max_depth,
            self.max_nodes,
            self.max_attributes,
            self.max_attribute_size,
            self.max_name_length,
            self.max_names,
            self.max_namespaces,
            self.max_text,
            self.max_markup,
        )
