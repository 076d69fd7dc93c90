"""Schemas of a route: XSD, RELAX NG and Schematron files, compiled by libxml2, which reads local files only."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from adc_plugins.documents.xml.refused import XmlRefused
from lxml import etree

_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_MESSAGE_MOST = 300
_LXML: Any = etree
_ISO: Any = import_module("lxml.isoschematron")

Check = Callable[[etree._Element], None]
"""Raises XmlRefused for an element that is not valid."""


class BadSchema(ValueError):
    """A schema file that cannot be used; the text names its place."""


class _LocalFiles(etree.Resolver):
    """Lets a schema read files and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = ""

    def resolve(self, system_url: str, public_id: str, *context: Any) -> Any:
        """Return an empty document for anything that is no local file."""
        if system_url and ("://" in system_url and not system_url.startswith("file://")):
            self.refused = system_url
            return self.resolve_string("", *context, base_url=system_url)
        return None


class _Source(NamedTuple):
    tree: etree._ElementTree
    files: _LocalFiles


def _parse(file: Path) -> _Source:
    files = _LocalFiles()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    parser.resolvers.add(files)
    try:
        return _Source(etree.parse(str(file), parser), files)
    except OSError as error:
        raise BadSchema(f"{file} cannot be read: {error.strerror or 'no such file'}") from None
    except etree.XMLSyntaxError as error:
        raise BadSchema(f"{file}:{error.lineno}: {error.msg}") from None


def _compile(file: Path, files: _LocalFiles, make: Callable[[], Any]) -> Any:
    try:
        made = make()
    except etree.LxmlError as error:
        if files.refused:
            raise BadSchema(_remote(file, files)) from None
        raise BadSchema(_first_error(file, error)) from None
    if files.refused:
        raise BadSchema(_remote(file, files))
    return made


def _remote(file: Path, files: _LocalFiles) -> str:
    return f"{file} refers to {files.refused}; only local files are read"


def _first_error(file: Path, error: Any) -> str:
    for entry in error.error_log:
        if entry.level_name in ("ERROR", "FATAL"):
            place = entry.filename if entry.filename and entry.filename != "<string>" else file
            return f"{place}:{entry.line}: {entry.message}" if entry.line else f"{place}: {entry.message}"
    return f"{file}: {error}"


def xsd(file: Path) -> Check:
    """Return the check of an XSD 1.0 schema. Raises BadSchema."""
    source = _parse(file)
    return _validator(_compile(file, source.files, lambda: etree.XMLSchema(source.tree)))


def relax_ng(file: Path) -> Check:
    """Return the check of a RELAX NG schema, in the compact syntax if the file ends in `.rnc`. Raises BadSchema."""
    if file.suffix == ".rnc":
        return _validator(_compact(file))
    source = _parse(file)
    return _validator(_compile(file, source.files, lambda: etree.RelaxNG(source.tree)))


def _compact(file: Path) -> etree.RelaxNG:
    try:
        rnc2rng = import_module("rnc2rng")
    except ImportError:
        raise BadSchema(
            f"{file}: the compact syntax needs the extra `relaxng`: pip install adc[relaxng]"
        ) from None
    try:
        text = rnc2rng.dumps(rnc2rng.load(str(file)))
    except OSError as error:
        raise BadSchema(f"{file} cannot be read: {error.strerror}") from None
    except Exception as error:  # the parser raises errors of several modules
        raise BadSchema(f"{file} is not RELAX NG in the compact syntax: {error}") from None
    files = _LocalFiles()
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    parser.resolvers.add(files)
    tree = etree.fromstring(text.encode(), parser, base_url=str(file))
    made: etree.RelaxNG = _compile(file, files, lambda: etree.RelaxNG(tree))
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
    """Return the check of an ISO Schematron schema. Raises BadSchema."""
    source = _parse(file)
    made = _compile(file, source.files, lambda: _ISO.Schematron(source.tree, store_xslt=True))
    nothing = _LXML.XSLTAccessControl.DENY_ALL
    report = _compile(
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
