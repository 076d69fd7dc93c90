"""Reading a document for use: every reference, then the rules of OpenAPI, which openapi-spec-validator knows."""

from __future__ import annotations

from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from adc_plugins.documents.json.refused import pointer
from adc_plugins.documents.openapi.document import BadDocument, Document

_MOST_ERRORS = 5
_MESSAGE_MOST = 300


def checked_document(file: Path) -> Document:
    """Return the document. Raises BadDocument with its first errors."""
    document = Document(file)
    problems = list(islice(_problems(document), _MOST_ERRORS))
    if problems:
        raise BadDocument("; ".join(problems))
    return document


def _problems(document: Document) -> Any:
    try:
        library: Any = import_module("openapi_spec_validator")
    except ImportError:
        raise BadDocument(
            f"{document.file}: the plugin needs the extra `openapi`: pip install adc[openapi]"
        ) from None
    kind = library.OpenAPIV30SpecValidator if document.is_3_0 else library.OpenAPIV31SpecValidator
    try:
        for error in kind(document.root.value, base_uri=document.uri).iter_errors():
            place = pointer(list(getattr(error, "absolute_path", ())))
            message = str(getattr(error, "message", error)).partition("\n")[0]
            yield f"{document.file}#{place}: {message[:_MESSAGE_MOST]}"
    except Exception as error:  # a document can break the library in many ways
        yield f"{document.file}: {type(error).__name__}: {str(error)[:_MESSAGE_MOST]}"
