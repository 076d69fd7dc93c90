"""Bodies whose Content-Type names no processor, read by what they look like, as lenient applications do."""

from __future__ import annotations

import re
from typing import Final

from adc_plugins.waf.bodies.json_document import parse_json
from adc_plugins.waf.bodies.multipart.parse import parse_multipart
from adc_plugins.waf.bodies.parsed import Limits, ParsedBody
from adc_plugins.waf.bodies.urlencoded import parse_urlencoded
from adc_plugins.waf.bodies.xml_document import parse_xml

_JSON: Final = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n\x1e]*[{\[]")
_XML: Final = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*<")
_FORM: Final = re.compile(rb"[\w.\[\]%+~-]{1,200}=[^\x00]*\Z")


def parse_undeclared(content: bytes, content_type: bytes, limits: Limits) -> ParsedBody:
    """Return the arguments and the document found; nothing is an error, because nothing was declared."""
    if content_type[:10].lower() == b"multipart/":
        found = parse_multipart(content, content_type, limits)
    elif _JSON.match(content):
        found = parse_json(content.lstrip(b"\xef\xbb\xbf \t\r\n\x1e"), content_type, limits)
    elif _XML.match(content):
        found = parse_xml(content, content_type, limits)
        if found.error or found.unfinished:
            return ParsedBody()
    elif _FORM.match(content):
        found = parse_urlencoded(content, content_type, limits)
    else:
        return ParsedBody()
    return ParsedBody(arguments=found.arguments, files=found.files, document=found.document)
