"""A stylesheet file, compiled by libxslt, and what its output is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from adc_plugins.documents.xml.local_files import compiled, read
from lxml import etree

_LXML: Any = etree
_XSL = "{http://www.w3.org/1999/XSL/Transform}"
_MEDIA_TYPES = {
    "html": "text/html",
    "xml": "application/xml",
    "text": "text/plain",
    "xhtml": "application/xhtml+xml",
}
_WITHOUT_CHARSET = ("/json", "+json")
_REASON_MOST = 300


class TransformFailed(Exception):
    """The stylesheet could not transform a document."""


class Stylesheet(NamedTuple):
    """A compiled stylesheet; `content_type` is what its `xsl:output` says of the result, `digest` that of its files."""

    transform: Any
    content_type: str
    digest: str

    def result(self, root: etree._Element, parameters: Mapping[str, str]) -> bytes:
        """Return the serialised result for a document. Raises TransformFailed."""
        quoted = {name: _LXML.XSLT.strparam(value) for name, value in parameters.items()}
        try:
            return bytes(self.transform(root.getroottree(), **quoted))
        except etree.LxmlError as error:
            raise TransformFailed(str(error)[:_REASON_MOST]) from None


def read_stylesheet(file: Path) -> Stylesheet:
    """Return the stylesheet in a file. It reads no other document, writes none, and has no network.

    Raises BadFile.
    """
    source = read(file)
    nothing = _LXML.XSLTAccessControl.DENY_ALL
    transform = compiled(file, source.files, lambda: etree.XSLT(source.tree, access_control=nothing))
    return Stylesheet(transform, _content_type(source.tree.getroot()), source.files.digest())


def _content_type(root: etree._Element) -> str:
    """Return the Content-Type that the output declarations say (XSLT 1.0 section 16): the last attribute of a name
    counts, and HTML is the method of a literal result element of that name."""
    declared: dict[str, str] = {}
    for output in root.iter(f"{_XSL}output"):
        declared.update({str(name): str(value) for name, value in output.attrib.items()})
    html = any(element.tag in ("html", "HTML") for element in root.iter(etree.Element))
    method = declared.get("method", "html" if html else "xml")
    media_type = declared.get("media-type", _MEDIA_TYPES.get(method, "application/xml"))
    if media_type.endswith(_WITHOUT_CHARSET) or "charset=" in media_type:
        return media_type
    return f"{media_type}; charset={declared.get('encoding', 'UTF-8')}"
