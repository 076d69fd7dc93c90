"""The tree of a document that the guard has passed."""

from __future__ import annotations

from adc_plugins.documents.xml.guard import XSI
from adc_plugins.documents.xml.refused import XmlRefused
from lxml import etree

_LOCATIONS = (f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation")


def parse(text: bytes, *, has_locations: bool = False, bare: bool = True) -> etree._Element:
    """Return the root of a document in UTF-8; `bare`: without comments and processing instructions. If it may have
    attributes that name schemas (`has_locations`) they are removed, because libxml2 would read the files.

    Raises XmlRefused if libxml2 disagrees with the guard.
    """
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,  # the guard has limits of its own
        remove_comments=bare,
        remove_pis=bare,
        collect_ids=False,
    )
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise XmlRefused(error.msg or "the document is malformed", error.lineno or 0) from None
    if has_locations:
        _remove_locations(root)
    return root


def _remove_locations(root: etree._Element) -> None:
    for element in root.iter(etree.Element):
        for name in _LOCATIONS:
            if name in element.attrib:
                del element.attrib[name]
