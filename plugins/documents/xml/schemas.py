"""Schemas of a route: XSD, RELAX NG and Schematron files, compiled by libxml2, which reads local files only."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from adc_plugins.documents.xml.local_files import BadFile, LocalFiles, compiled, parser, read
from adc_plugins.documents.xml.refused import XmlRefused
from lxml import etree

_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_MESSAGE_MOST = 300
_LXML: Any = etree
_ISO: Any = import_module("lxml.isoschematron")

Check = Callable[[etree._Element], None]
"""Raises XmlRefused for an element that is not valid."""


def xsd(file: Path) -> Check:
    """Return the check of an XSD 1.0 schema. Raises BadFile."""
    source = read(file)
    return _validator(compiled(file, source.files, lambda: etree.XMLSchema(source.tree)))


def relax_ng(file: Path) -> Check:
    """Return the check of a RELAX NG schema, in the compact syntax if the file ends in `.rnc`. Raises BadFile."""
    if file.suffix == ".rnc":
        return _validator(_compact(file))
    source = read(file)
    return _validator(compiled(file, source.files, lambda: etree.RelaxNG(source.tree)))


def _compact(file: Path) -> etree.RelaxNG:
    try:
        rnc2rng = import_module("rnc2rng")
    except ImportError:
        raise BadFile(
            f"{file}: the compact syntax needs the extra `relaxng`: pip install adc[relaxng]"
        ) from None
    try:
        text = rnc2rng.dumps(rnc2rng.load(str(file)))
    except OSError as error:
        raise BadFile(f"{file} cannot be read: {error.strerror}") from None
    except Exception as error:  # the parser raises errors of several modules
        raise BadFile(f"{file} is not RELAX NG in the compact syntax: {error}") from None
    files = LocalFiles()
    tree = etree.fromstring(text.encode(), parser(files), base_url=str(file))
    made: etree.RelaxNG = compiled(file, files, lambda: etree.RelaxNG(tree))
    return made


def _validator(schema: Any) -> Check:
    def check(element: etree._Element) -> None:
        try:
            valid = schema.validate(element)
        except etree.LxmlError:
            raise XmlRefused("the schema could not be evaluated for this document") from None
        if not valid:
            for entry in schema.error_log:
                raise XmlRefused(entry.message[:_MESSAGE_MOST], max(0, entry.line), 0)
            raise XmlRefused("the document is not valid")

    return check


def schematron(file: Path) -> Check:
    """Return the check of an ISO Schematron schema. Raises BadFile."""
    source = read(file)
    made = compiled(file, source.files, lambda: _ISO.Schematron(source.tree, store_xslt=True))
    nothing = _LXML.XSLTAccessControl.DENY_ALL
    report = compiled(
        file, source.files, lambda: etree.XSLT(made.validator_xslt.getroot(), access_control=nothing)
    )

    def check(element: etree._Element) -> None:
        try:
            found = report(etree.ElementTree(element))
        except etree.LxmlError:
            raise XmlRefused("the schema could not be evaluated for this document") from None
        for failed in found.getroot().iter(f"{_SVRL}failed-assert", f"{_SVRL}successful-report"):
            text = " ".join("".join(failed.itertext()).split())
            raise XmlRefused(text[:_MESSAGE_MOST], _line(element, failed.get("location", "")), 0)

    return check


def _line(element: etree._Element, location: str) -> int:
    tree: Any = element.getroottree()
    try:
        nodes = tree.xpath(location)
    except etree.XPathError:
        return 0
    return int(nodes[0].sourceline or 0) if isinstance(nodes, list) and nodes else 0
