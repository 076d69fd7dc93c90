"""An incremental check of one document: well-formedness with namespaces, and limits.

The parser is expat. Document types are refused at their first bytes, so that there are no entities but the five of XML,
and nothing is ever fetched. Memory is bounded by the limits, whatever the size of the document.
"""

from __future__ import annotations

from typing import Protocol
from xml.parsers import expat

from adc_plugins.documents.xml.encoding import ToUtf8
from adc_plugins.documents.xml.limits import XmlLimits
from adc_plugins.documents.xml.refused import XmlRefused

SEPARATOR = " "
"""Stands between namespace and local name; expat refuses namespaces that have it."""

XSI = "http://www.w3.org/2001/XMLSchema-instance"
_INCLUSION = frozenset({"http://www.w3.org/2001/XInclude", "http://www.w3.org/2003/XInclude"})
_LOCATIONS = frozenset({f"{XSI}{SEPARATOR}schemaLocation", f"{XSI}{SEPARATOR}noNamespaceSchemaLocation"})
_STEP = 16 << 10
_URI_MOST = 1024
_TEXT_AT_ONCE = 32 << 10


class Structure(Protocol):
    """A check of where elements stand. All methods raise XmlRefused."""

    def start(self, depth: int, name: str) -> None:
        """Note the start of an element; the root has depth 1."""

    def instruction(self) -> None:
        """Note a processing instruction."""

    def end(self) -> None:
        """Note the end of the document."""


class XmlGuard:
    """Feeds one document through the checks; `feed` raises XmlRefused with line and column.

    `schema_locations` allows the attributes that name a schema; they are never followed.
    """

    __slots__ = (
        "_declared",
        "_depth",
        "_encoding",
        "_fed",
        "_held",
        "_in_scope",
        "_limits",
        "_locations",
        "_max_depth",
        "_max_nodes",
        "_name_length",
        "_names",
        "_nodes",
        "_parser",
        "_schema_locations",
        "_size",
        "_structure",
        "_text",
    )

    def __init__(
        self,
        limits: XmlLimits,
        encoding: ToUtf8,
        structure: Structure | None = None,
        schema_locations: bool = False,
    ) -> None:
        self._limits = limits
        self._max_depth = limits.depth
        self._max_nodes = limits.nodes
        self._name_length = limits.name_length
        self._encoding = encoding
        self._structure = structure
        self._schema_locations = schema_locations
        self._depth = self._nodes = self._text = 0
        self._declared = self._in_scope = 0
        self._locations = False  # the namespace of schema locations was declared
        self._size = self._fed = 0
        self._held = b""
        self._names: dict[str, str] = {}
        self._parser = self._made_parser()

    def _made_parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate("utf-8", SEPARATOR, intern=self._names)
        parser.buffer_text = True
        parser.buffer_size = _TEXT_AT_ONCE
        parser.ordered_attributes = True
        if hasattr(parser, "SetReparseDeferralEnabled"):
            parser.SetReparseDeferralEnabled(False)  # `_parse` bounds the tokens itself
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._character_data
        parser.StartNamespaceDeclHandler = self._namespace
        parser.EndNamespaceDeclHandler = self._namespace_end
        if self._structure is not None:
            parser.ProcessingInstructionHandler = self._instruction
        return parser

    def feed(self, data: bytes, end: bool = False) -> bytes:
        """Check the next content; return it as UTF-8, without what an unknown encoding still holds back."""
        text = self._encoding.feed(data, end)
        self._size += len(text)
        if self._size > self._limits.size:
            self.release()
            raise self._refused(f"the document has more than {self._limits.size} bytes")
        try:
            self._parse(text, end)
        except expat.ExpatError as error:
            self.release()
            raise XmlRefused(expat.ErrorString(error.code), error.lineno, error.offset + 1) from None
        except XmlRefused:
            self.release()
            raise
        if end:
            self.release()
        return text

    def release(self) -> None:
        """Drop the handlers, which refer to this object and to the parser: no cycle waits for the collector."""
        parser = self._parser
        parser.XmlDeclHandler = parser.StartDoctypeDeclHandler = None
        parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None
        parser.StartNamespaceDeclHandler = parser.EndNamespaceDeclHandler = None
        parser.ProcessingInstructionHandler = None

    def _parse(self, text: bytes, end: bool) -> None:
        """Parse in steps. An unfinished token is read again only when it has grown by half, so that content which comes
        byte by byte costs no more than any other."""
        held = self._held + text if self._held else text
        parser, most, at = self._parser, self._limits.markup, 0
        while at < len(held):
            grown = (self._fed - parser.CurrentByteIndex) >> 1
            if len(held) - at < grown and not end:
                break
            step = held[at : at + max(_STEP, grown)]
            parser.Parse(step, False)
            at += len(step)
            self._fed += len(step)
            if self._fed - parser.CurrentByteIndex > most:
                raise self._refused(f"a tag, comment or processing instruction has more than {most} bytes")
            if len(self._names) > self._limits.names:
                raise self._refused(f"the document has more than {self._limits.names} different names")
        self._held = held[at:]
        if end:
            parser.Parse(b"", True)
            if self._structure is not None:
                self._structure.end()

    def _refused(self, reason: str) -> XmlRefused:
        parser = self._parser
        return XmlRefused(reason, parser.CurrentLineNumber, parser.CurrentColumnNumber + 1)

    def _placed(self, refused: XmlRefused) -> XmlRefused:
        return self._refused(refused.reason)

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if version != "1.0":
            raise self._refused("only XML 1.0 is allowed")
        try:
            self._encoding.check_declared(encoding)
        except XmlRefused as refused:
            raise self._placed(refused) from None

    def _doctype(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        raise self._refused("a document type is not allowed")

    def _start(self, name: str, attributes: list[str]) -> None:
        self._text = 0
        self._depth += 1
        self._nodes += 1
        if len(name) > self._name_length:
            self._check_name(name)
        if attributes or self._declared:
            self._check_attributes(attributes)
        if self._depth > self._max_depth:
            raise self._refused(f"elements are nested deeper than {self._max_depth}")
        if self._nodes > self._max_nodes:
            raise self._refused(f"the document has more than {self._max_nodes} elements and attributes")
        if self._structure is not None:
            try:
                self._structure.start(self._depth, name)
            except XmlRefused as refused:
                raise self._placed(refused) from None

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._text = 0

    def _check_name(self, name: str) -> None:
        most = self._name_length
        if len(name.rpartition(SEPARATOR)[2]) > most:
            raise self._refused(f"a name has more than {most} characters")

    def _check_attributes(self, attributes: list[str]) -> None:
        limits = self._limits
        count, self._declared = (len(attributes) >> 1) + self._declared, 0
        self._nodes += count
        if count > limits.attributes:
            raise self._refused(f"an element has more than {limits.attributes} attributes")
        if max(map(len, attributes), default=0) > min(self._name_length, limits.attribute_size):
            for name in attributes[::2]:
                self._check_name(name)
            if max(map(len, attributes[1::2])) > limits.attribute_size:
                raise self._refused(f"an attribute has more than {limits.attribute_size} characters")
        if self._locations and not self._schema_locations and not _LOCATIONS.isdisjoint(attributes[::2]):
            raise self._refused("a schema location is not allowed")

    def _character_data(self, data: str) -> None:
        self._text += len(data)
        if self._text > self._limits.text:
            raise self._refused(f"text has more than {self._limits.text} characters")

    def _namespace(self, prefix: str | None, uri: str | None) -> None:
        self._declared += 1
        self._in_scope += 1
        if self._in_scope > self._limits.namespaces:
            raise self._refused(f"more than {self._limits.namespaces} namespace declarations are in scope")
        if prefix is not None and len(prefix) > self._limits.name_length:
            raise self._refused(f"a name has more than {self._limits.name_length} characters")
        if uri is not None and len(uri) > _URI_MOST:
            raise self._refused(f"a namespace has more than {_URI_MOST} characters")
        if uri == XSI:
            self._locations = True
        if uri in _INCLUSION:
            raise self._refused("XInclude is not allowed")

    def _namespace_end(self, prefix: str | None) -> None:
        self._in_scope -= 1

    def _instruction(self, target: str, data: str) -> None:
        if self._structure is not None:
            try:
                self._structure.instruction()
            except XmlRefused as refused:
                raise self._placed(refused) from None
