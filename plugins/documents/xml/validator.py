"""The checks of one route, made from its options: what every document of it goes through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from adc_plugins.documents.xml.encoding import ToUtf8
from adc_plugins.documents.xml.guard import XmlGuard
from adc_plugins.documents.xml.local_files import BadFile
from adc_plugins.documents.xml.options import XmlValidationOptions
from adc_plugins.documents.xml.schemas import Check, relax_ng, schematron, xsd
from adc_plugins.documents.xml.soap import NAMESPACES, SoapEnvelope, SoapMessage
from adc_plugins.documents.xml.tree import parse
from lxml import etree

from adc.plugin import OptionErrors


class XmlValidator:
    """Checks documents. `whole` if a schema needs them whole. Raises OptionErrors for a schema that cannot be used."""

    def __init__(self, options: XmlValidationOptions) -> None:
        self._limits = options.limits
        self._encodings = frozenset(options.encodings)
        self._soap = None if options.soap is None else options.soap.rules
        self._locations = options.schema_locations == "ignore"
        self._schemas = _compiled(options)

    @property
    def whole(self) -> bool:
        """True if documents are checked against a schema."""
        return bool(self._schemas)

    def guard(self, charset: str, message: SoapMessage) -> XmlGuard:
        """Return the incremental check of one document: everything but the schemas."""
        structure = None if self._soap is None else SoapEnvelope(self._soap, message)
        return XmlGuard(self._limits, ToUtf8(charset, self._encodings), structure, self._locations)

    def check(self, content: bytes, charset: str, message: SoapMessage) -> None:
        """Check a whole document. Raises XmlRefused."""
        text = self.guard(charset, message).feed(content, True)
        if self._schemas:
            root = parse(text, has_locations=self._locations)
            subject = root if self._soap is None else _payload(root)
            if subject is not None:
                for schema in self._schemas:
                    schema(subject)


def _payload(envelope: etree._Element) -> etree._Element | None:
    """Return the element in the Body; None if there is none, or a Fault."""
    for namespace in NAMESPACES.values():
        body = envelope.find(f"{{{namespace}}}Body")
        if body is not None and len(body) and body[0].tag != f"{{{namespace}}}Fault":
            return body[0]
    return None


def _compiled(options: XmlValidationOptions) -> list[Check]:
    given: list[tuple[str, Path | None, Callable[[Path], Check]]] = [
        ("schema", options.xsd, xsd),
        ("relax_ng", options.relax_ng, relax_ng),
        ("schematron", options.schematron, schematron),
    ]
    checks, findings = [], []
    for key, file, compiled in given:
        try:
            if file is not None:
                checks.append(compiled(file))
        except BadFile as error:
            findings.append(((key,), str(error)))
    if findings:
        raise OptionErrors(findings)
    return checks
