"""What the head of a message says of its XML."""

from __future__ import annotations

from adc_plugins.documents.content import ContentType
from adc_plugins.documents.xml.soap import SoapMessage

from adc.plugin import Headers


def soap_message(headers: Headers, kind: ContentType, is_request: bool) -> SoapMessage:
    """Return what the head says of an envelope. The action is in SOAPAction (SOAP 1.1), or a parameter of the
    Content-Type (SOAP 1.2)."""
    field = headers.joined(b"soapaction")
    action = kind.parameters.get("action") if field is None else field.decode("latin-1").strip(" \t")
    if action and len(action) > 1 and action[0] == action[-1] == '"':
        action = action[1:-1]
    return SoapMessage(kind.media_type, action, is_request)
