"""An OpenAPI document and the files that it refers to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from adc_plugins.documents.files import BadFile, load

_MOST_REFERENCES = 32
_VERSIONS = ("3.0.", "3.1.")


class BadDocument(ValueError):
    """A document that cannot be used; the text names the place."""


class Node(NamedTuple):
    """A value of a document, and its URI: that of the file and a JSON Pointer as fragment."""

    value: Any
    uri: str

    def at(self, *keys: str | int) -> Node:
        """Return what is below; None as value if there is nothing."""
        value, uri = self.value, self.uri
        for key in keys:
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                value = None
            uri = f"{uri}/{_escaped(str(key))}"
        return Node(value, uri)

    @property
    def mapping(self) -> dict[str, Any]:
        """The value if it is a mapping, else an empty one."""
        return self.value if isinstance(self.value, dict) else {}

    def members(self) -> Iterator[tuple[str, Node]]:
        """Yield what is in a mapping."""
        for key in self.mapping:
            yield key, self.at(key)

    def elements(self) -> Iterator[Node]:
        """Yield what is in a list."""
        for number in range(len(self.value) if isinstance(self.value, list) else 0):
            yield self.at(number)


class Document:
    """The files, read once. Raises BadDocument for a file that cannot be read, and for references to other hosts."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.uri = file.resolve().as_uri()
        self._files: dict[str, Any] = {}
        self._read_all(self.uri)
        root = self._files[self.uri]
        version = str(root.get("openapi", "")) if isinstance(root, dict) else ""
        if not version.startswith(_VERSIONS):
            raise BadDocument(f"{file} has the OpenAPI version {version[:20]!r}; allowed: 3.0.x and 3.1.x")
        self.is_3_0 = version.startswith("3.0.")
        """True for OpenAPI 3.0, whose schemas are not JSON Schema."""

    @property
    def root(self) -> Node:
        """The whole document."""
        return Node(self._files[self.uri], f"{self.uri}#")

    @property
    def files(self) -> dict[str, Any]:
        """The files by URI, as read."""
        return self._files

    def resolve(self, node: Node) -> Node:
        """Return `node`, or what it refers to. Raises BadDocument."""
        for _ in range(_MOST_REFERENCES):
            reference = node.mapping.get("$ref")
            if not isinstance(reference, str):
                return node
            node = self.find(urljoin(urldefrag(node.uri)[0], reference), node)
        raise BadDocument(f"{self.where(node)}: references in a circle")

    def find(self, uri: str, origin: Node) -> Node:
        """Return what is at a URI. Raises BadDocument."""
        file, fragment = urldefrag(uri)
        node = Node(self._files.get(file), f"{file}#")
        for part in fragment.split("/")[1:]:
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            node = node.at(int(key) if isinstance(node.value, list) and key.isdigit() else key)
        if node.value is None:
            raise BadDocument(f"{self.where(origin)}: {origin.mapping.get('$ref')} does not exist")
        return node

    def where(self, node: Node) -> str:
        """Return file and pointer of a node, for errors."""
        file, pointer = urldefrag(node.uri)
        return f"{unquote(urlsplit(file).path)}#{pointer}"

    def _read_all(self, uri: str) -> None:
        """Read the file at `uri` and those that it refers to."""
        waiting = [uri]
        while waiting:
            file = waiting.pop()
            if file in self._files:
                continue
            parts = urlsplit(file)
            if parts.scheme != "file" or parts.netloc:
                raise BadDocument(f"{self.file} refers to {file}; only local files are read")
            try:
                self._files[file] = load(Path(unquote(parts.path)))
            except BadFile as error:
                raise BadDocument(str(error)) from None
            waiting += [urldefrag(urljoin(file, each))[0] for each in references(self._files[file])]


NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "schemas"})
"""Keys whose mappings have free names as keys."""
_DATA = frozenset({"example", "examples", "default", "const", "enum"})


def holds_data(key: str, names: bool) -> bool:
    """True if there is data below a key, which may look like anything; `names`: the key is a free name."""
    return key in _DATA and not names


def references(value: Any) -> Iterator[str]:
    """Yield every reference in a value."""
    waiting = [(value, False)]
    while waiting:
        each, names = waiting.pop()
        if isinstance(each, dict):
            if isinstance(each.get("$ref"), str):
                yield each["$ref"]
            waiting += [
                (below, key in NAMED and not names)
                for key, below in each.items()
                if not holds_data(key, names)
            ]
        elif isinstance(each, list):
            waiting += [(below, False) for below in each]


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
