"""The charset of a Content-Type field. No I/O."""

from __future__ import annotations

import re

from adc_plugins.charset.charsets import UTF_8, Charset, find
from adc_plugins.charset.prescan import Kind
from adc_plugins.charset.transcoder import Language

_parameter = re.compile(
    rb";[\t ]*charset[\t ]*=[\t ]*(?:\"((?:[^\"\\]|\\.)*)\"|([^\t ;\",]*))[\t ]*(?=;|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_HTML = frozenset({b"text/html", b"application/xhtml+xml"})


def essence(content_type: bytes) -> bytes:
    """Return the media type without its parameters, in lower case."""
    return content_type.partition(b";")[0].strip(b" \t").lower()


def label_of(content_type: bytes) -> bytes | None:
    """Return the label in the `charset` parameter, None if there is none."""
    found = _parameter.search(content_type)
    return None if found is None else found[found.lastindex or 2]


def declared_by(content_type: bytes) -> Charset | None:
    """Return the charset that content of that type is in, None if its type does not tell. Streams of events are UTF-8
    by definition: to guess would delay them."""
    if essence(content_type) == b"text/event-stream":
        return UTF_8
    label = label_of(content_type)
    return find(label) if label is not None else None


def with_label(content_type: bytes, label: bytes) -> bytes:
    """Return the field's value with that `charset`. JSON gets none if it had none: it is UTF-8 by definition."""
    if _parameter.search(content_type):
        return _parameter.sub(lambda found: b"; charset=" + label, content_type, count=1)
    if _is_json(essence(content_type)):
        return content_type
    return b"%b; charset=%b" % (content_type.rstrip(b"; \t"), label)


def kind_of(content_type: bytes) -> Kind:
    """Return where content of that type declares its charset."""
    media_type = essence(content_type)
    if media_type in _HTML:
        return "html"
    if media_type.endswith((b"/xml", b"+xml")):
        return "xml"
    return "css" if media_type == b"text/css" else "text"


def language_of(content_type: bytes) -> Language:
    """Return the language of content of that type, for characters that a charset does not have."""
    media_type = essence(content_type)
    if kind_of(content_type) in ("html", "xml"):
        return "html"
    return "json" if _is_json(media_type) or b"javascript" in media_type else "text"


def _is_json(media_type: bytes) -> bool:
    return media_type.endswith((b"/json", b"+json"))
