"""XML bodies: parsed without network, document type and entities; read through XPath."""

from __future__ import annotations

from adc_plugins.waf.bodies.parsed import Limits, Pair, ParsedBody, bounded
from lxml import etree

Namespaces = tuple[tuple[str, str], ...]
"""Pairs of prefix and URI, as `xmlns` actions bind them."""


class XmlDocument:
    """A body of XML; `root` is None if it was not accepted, and then every XPath selects the content as received."""

    __slots__ = ("_arguments", "_content", "_root")

    def __init__(self, root: etree._Element | None, content: bytes, limits: Limits) -> None:
        self._root = root
        self._content = content
        self._arguments = limits.arguments

    def select(self, expression: str, namespaces: Namespaces) -> list[Pair]:
        """Return the text of each node that the XPath `expression` selects; those beyond the limit are joined."""
        if self._root is None:
            return [(b"", self._content)]
        tree = self._root.getroottree()
        try:
            found = tree.xpath(expression, namespaces=dict(namespaces) or None, smart_strings=False)
        except etree.XPathError:
            return []
        nodes = found if isinstance(found, list) else [found]
        return bounded([(b"", _text(node)) for node in nodes], self._arguments)


def _text(node: object) -> bytes:
    if isinstance(node, etree._Element):
        return etree.tostring(node, method="text", encoding="utf-8", with_tail=False)
    return str(node).encode()


def parse_xml(content: bytes, _content_type: bytes, limits: Limits) -> ParsedBody:
    """Parse the document; one with a document type is refused, and so is one nested deeper than libxml2's bound.

    What libxml2 does not accept counts as unfinished: a document whose end was cut off has all kinds of errors.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as problem:
        return ParsedBody(unfinished=str(problem), document=XmlDocument(None, content, limits))
    if root.getroottree().docinfo.internalDTD is not None:
        return ParsedBody(
            error="the document has a document type", document=XmlDocument(None, content, limits)
        )
    return ParsedBody(document=XmlDocument(root, content, limits))
