"""The operations of a document, compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from urllib.parse import urlsplit

from adc_plugins.documents.openapi.bodies import Content
from adc_plugins.documents.openapi.document import Document, Node
from adc_plugins.documents.openapi.parameters import Parameter, parameters_of
from adc_plugins.documents.openapi.paths import PathIndex
from adc_plugins.documents.openapi.schemas import Schemas

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_MOST_VARIANTS = 100


@dataclass(frozen=True, slots=True)
class ResponseRules:
    """A described response."""

    content: Content
    headers: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `body_required`: a request needs content. `responses` by status, range (`4XX`) or
    `default`."""

    parameters: tuple[Parameter, ...]
    body: Content | None
    body_required: bool
    responses: Mapping[str, ResponseRules]
    places: frozenset[str]
    """Where parameters are."""

    def response(self, status: int) -> ResponseRules | None:
        """Return what is described for a status."""
        found = self.responses
        return found.get(str(status)) or found.get(f"{status // 100}XX") or found.get("default")


Operations = Mapping[str, Operation]
"""The operations of a path by method, upper-case."""


class Api:
    """The operations of a document, and below which paths they are."""

    def __init__(self, document: Document, base_path: str | None, formats: bool, responses: bool) -> None:
        self._document = document
        self._requests = Schemas(document, "request", formats)
        self._responses = Schemas(document, "response", formats) if responses else None
        self.bases = _bases(document) if base_path is None else (base_path.rstrip("/"),)
        self.paths = PathIndex(self._paths())

    def _paths(self) -> Iterator[tuple[str, Operations]]:
        for path, node in self._document.root.at("paths").members():
            if not path.startswith("/"):
                continue  # an extension
            item = self._document.resolve(node)
            yield (
                path,
                {
                    method.upper(): self._operation(item, item.at(method))
                    for method in METHODS
                    if isinstance(item.at(method).value, dict)
                },
            )

    def _operation(self, item: Node, node: Node) -> Operation:
        document = self._document
        body = document.resolve(node.at("requestBody"))
        parameters = parameters_of(item, node, document, self._requests)
        responses = node.at("responses").members() if self._responses else ()
        return Operation(
            parameters,
            Content(body.at("content"), document, self._requests) if body.value else None,
            body.mapping.get("required") is True,
            {status: self._response(each) for status, each in responses if not status.startswith("x-")},
            frozenset(each.place for each in parameters),
        )

    def _response(self, node: Node) -> ResponseRules:
        document, schemas = self._document, self._responses
        assert schemas is not None
        found = document.resolve(node)
        headers = [
            Parameter(document.resolve(each), document, schemas, "header", name)
            for name, each in found.at("headers").members()
            if name.lower() != "content-type"
        ]
        return ResponseRules(Content(found.at("content"), document, schemas), tuple(headers))

    def relative(self, path: str) -> str | None:
        """Return the path below the base path; None if it is not below any."""
        for base in self.bases:
            if not base:
                return path
            if path == base or path.startswith(f"{base}/"):
                return path[len(base) :] or "/"
        return None


def _bases(document: Document) -> tuple[str, ...]:
    """Return the paths of the servers, longest first, with the values that their variables may have."""
    found = set()
    for server in document.root.at("servers").elements():
        for url in _urls(server):
            found.add(urlsplit(url).path.rstrip("/"))
    return tuple(sorted(found or {""}, key=len, reverse=True))


def _urls(server: Node) -> list[str]:
    variables = dict(server.at("variables").members())
    choices = [each.mapping.get("enum") or [each.mapping.get("default", "")] for each in variables.values()]
    urls = []
    for values in list(product(*choices))[:_MOST_VARIANTS]:
        url = str(server.mapping.get("url", ""))
        for name, value in zip(variables, values, strict=True):
            url = url.replace(f"{{{name}}}", str(value))
        urls.append(url)
    return urls
