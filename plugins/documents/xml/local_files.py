"""XML files of the operator, such as schemas and stylesheets: they may include other local files, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from lxml import etree

_LXML: Any = etree


class BadFile(ValueError):
    """A file that cannot be used; the text names its place."""


class LocalFiles(etree.Resolver):
    """Lets a parser read files and nothing else; `refused` is the last address that it may not read, `paths` are the
    files that it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.refused = ""
        self.paths: list[Path] = []

    def resolve(self, system_url: str, public_id: str, *context: Any) -> Any:
        """Return an empty document for anything that is no local file."""
        if system_url and ("://" in system_url and not system_url.startswith("file://")):
            self.refused = system_url
            return self.resolve_string("", *context, base_url=system_url)
        if system_url:
            is_url = system_url.startswith("file://")
            self.paths.append(Path(unquote(system_url.removeprefix("file://")) if is_url else system_url))
        return None

    def digest(self) -> str:
        """Return a digest of the contents of all files that were read."""
        hashed = sha256()
        for path in self.paths:
            hashed.update(sha256(path.read_bytes() if path.is_file() else b"").digest())
        return hashed.hexdigest()


class Source(NamedTuple):
    """A parsed file, and what reads the files that it includes."""

    tree: etree._ElementTree
    files: LocalFiles


def parser(files: LocalFiles) -> etree.XMLParser:
    """Return a parser without network and external entities."""
    made = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    made.resolvers.add(files)
    return made


def read(file: Path) -> Source:
    """Return the document in a file. Raises BadFile."""
    files = LocalFiles()
    try:
        return Source(etree.parse(str(file), parser(files)), files)
    except OSError as error:
        raise BadFile(f"{file} cannot be read: {error.strerror or 'no such file'}") from None
    except etree.XMLSyntaxError as error:
        raise BadFile(f"{file}:{error.lineno}: {error.msg}") from None


def compiled(file: Path, files: LocalFiles, make: Callable[[], Any]) -> Any:
    """Return what `make` makes of a file. Raises BadFile for what is wrong with it or with one that it includes."""
    _LXML.clear_error_log()  # of other files, which some errors would have too
    try:
        made = make()
    except etree.LxmlError as error:
        if not files.refused:
            raise BadFile(_first_error(file, error)) from None
    if files.refused:
        raise BadFile(f"{file} refers to {files.refused}; only local files are read")
    return made


def _first_error(file: Path, error: Any) -> str:
    for entry in error.error_log:
        if entry.level_name in ("ERROR", "FATAL"):
            place = entry.filename if entry.filename and entry.filename != "<string>" else file
            return f"{place}:{entry.line}: {entry.message}" if entry.line else f"{place}: {entry.message}"
    return f"{file}: {error}"
