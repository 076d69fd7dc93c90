"""SOAP envelopes (SOAP 1.1 section 4, SOAP 1.2 part 1 section 5, WS-I Basic Profile 1.1 section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from adc_plugins.documents.xml.refused import XmlRefused

NAMESPACES = {
    "1.1": "http://schemas.xmlsoap.org/soap/envelope/",
    "1.2": "http://www.w3.org/2003/05/soap-envelope",
}
VERSIONS = {f"{uri} Envelope": version for version, uri in NAMESPACES.items()}
_MEDIA_TYPES = {"1.1": "text/xml", "1.2": "application/soap+xml"}

ActionRule = Literal["agree", "require", "ignore"]


@dataclass(frozen=True, slots=True)
class SoapRules:
    """What envelopes are accepted. `operations` maps the name of the body's element, `local` or `namespace local`, to
    its action, "" for any that ends in the local name; without operations all are allowed."""

    versions: tuple[str, ...] = ("1.1", "1.2")
    operations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    action: ActionRule = "agree"


@dataclass(frozen=True, slots=True)
class SoapMessage:
    """What the head of a message says of its envelope: the media type in lower case, and the action, None if it names
    none."""

    media_type: str
    action: str | None
    is_request: bool = True


class SoapEnvelope:
    """The structure of one envelope."""

    __slots__ = ("_content", "_message", "_namespace", "_rules", "_seen", "operation")

    def __init__(self, rules: SoapRules, message: SoapMessage) -> None:
        self.operation = ""
        """The name of the body's element, once it has come."""
        self._rules = rules
        self._message = message
        self._namespace = ""
        self._seen: list[str] = []
        self._content = 0

    def start(self, depth: int, name: str) -> None:
        """Note the start of an element; the root has depth 1. Raises XmlRefused."""
        if depth == 1:
            self._root(name)
        elif depth == 2:
            self._part(name)
        elif depth == 3 and self._seen[-1] == "Body":
            self._content += 1
            if self._content > 1:
                raise XmlRefused("the Body of the envelope has more than one element")
            self._operation(name)

    def instruction(self) -> None:
        """Refuse a processing instruction (SOAP 1.1 section 3)."""
        raise XmlRefused("a SOAP message has no processing instructions")

    def end(self) -> None:
        """Note the end of the document. Raises XmlRefused."""
        if "Body" not in self._seen:
            raise XmlRefused("the envelope has no Body")
        if self._message.is_request and self._rules.operations and not self._content:
            raise XmlRefused("the Body of the envelope is empty")

    def _root(self, name: str) -> None:
        version = VERSIONS.get(name)
        if version is None:
            raise XmlRefused("the root element is not the Envelope of SOAP 1.1 or 1.2")
        if version not in self._rules.versions:
            raise XmlRefused(f"SOAP {version} is not allowed; allowed: {', '.join(self._rules.versions)}")
        expected = _MEDIA_TYPES[version]
        if self._message.media_type in _MEDIA_TYPES.values() and self._message.media_type != expected:
            raise XmlRefused(f"a SOAP {version} envelope has the content type {expected}")
        self._namespace = NAMESPACES[version]

    def _part(self, name: str) -> None:
        namespace, _, local = name.rpartition(" ")
        if namespace != self._namespace or local not in ("Header", "Body"):
            raise XmlRefused("the Envelope has an element that is neither Header nor Body")
        if local in self._seen or "Body" in self._seen:
            raise XmlRefused(f"the {local} of the envelope is repeated or out of order")
        self._seen.append(local)

    def _operation(self, name: str) -> None:
        self.operation = name
        if not self._message.is_request:
            return
        operations, local = self._rules.operations, name.rpartition(" ")[2]
        known = name if name in operations else local
        if operations and known not in operations:
            raise XmlRefused("the operation is not allowed")
        if self._rules.action != "ignore":
            self._check_action(operations.get(known, ""), local)

    def _check_action(self, expected: str, local: str) -> None:
        action = self._message.action
        if not action:
            if self._rules.action == "require":
                raise XmlRefused("the message names no SOAP action")
            return
        agrees = action == expected if expected else _last_word(action) == local
        if not agrees:
            raise XmlRefused("the SOAP action does not agree with the operation")


def _last_word(action: str) -> str:
    """Return the text behind the last separator: `GetPrice` of `urn:shop#GetPrice`."""
    for separator in "/#:":
        action = action.rstrip(separator).rpartition(separator)[2]
    return action
