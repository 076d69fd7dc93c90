"""YAML text to a tree in which every value has its place.

Only the part of YAML that a configuration needs: mappings with text keys, lists, scalars, anchors and aliases. Scalars
follow YAML 1.2's core schema, so that `on` and `off` are words and `1:30` is text. Depth and number of values are
bounded, aliases included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from adc.config.errors import Mark, Path, Problem
from adc.config.expand import expand
from adc.config.units import quote

MAX_DEPTH = 50
MAX_NODES = 2_000_000

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})?\.[0-9]{1,18}(?:[eE][-+]?[0-9]{1,2})?")
_WORDS: dict[str, object] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(slots=True)
class Scalar:
    """A leaf. `plain`: written without quotes, so that it may be a number, a truth value or nothing."""

    mark: Mark
    text: str
    plain: bool


@dataclass(slots=True)
class Items:
    """A list."""

    mark: Mark
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Entries:
    """A mapping; `marks` are the places of its keys."""

    mark: Mark
    entries: dict[str, Node] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)


Node = Scalar | Items | Entries


def compose(text: str, file: str, env: Mapping[str, str]) -> tuple[Node | None, list[Problem]]:
    """Return the tree of one document, `None` for an empty one, with `${...}` replaced, and its problems."""
    composer = _Composer(file, env)
    try:
        root = composer.document(yaml.parse(text, Loader=_LOADER))
    except _StopError:
        return None, composer.problems
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = composer.mark(mark) if mark else Mark(file, 1, 1)
        reason = f"not YAML: {error.problem or error.context}"
        if "expected node content" in reason:
            reason += "; text that begins with a sign such as : * & % or @ needs quotes"
        return None, [*composer.problems, Problem(place, (), reason)]
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())
        return None, [*composer.problems, Problem(Mark(file, 1, 1), (), f"not YAML: {reason}")]
    return root, composer.problems


def plain(node: Node) -> Any:
    """Return the tree as dicts, lists, text, numbers, truth values and `None`."""
    if isinstance(node, Entries):
        return {key: plain(item) for key, item in node.entries.items()}
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    if not node.plain:
        return node.text
    if node.text in _WORDS:
        return _WORDS[node.text]
    if _INTEGER.fullmatch(node.text):
        return int(node.text)
    return float(node.text) if _FLOAT.fullmatch(node.text) else node.text


def locate(root: Node, path: Path) -> Mark:
    """Return the place of the value at `path`, or of the nearest one above it.

    A value that begins below its key is shown at the key.
    """
    mark = root.mark
    for key_mark, node in _steps(root, path):
        mark = key_mark if key_mark.line != node.mark.line else node.mark
    return mark


def locate_key(root: Node, path: Path) -> Mark:
    """Return the place of the key that `path` ends with, or of the nearest value above it."""
    steps = list(_steps(root, path))
    return steps[-1][0] if len(steps) == len(path) and steps else locate(root, path)


def as_written(root: Node, path: Path) -> Path:
    """Return `path` as the file spells it: without positions in a list of one that was written without the list,
    without keys below a value written as one word, with `tls.sni` as one key, names in the file's case."""
    node: Node | None = root
    kept: list[str | int] = []
    rest = list(path)
    while rest and not isinstance(node, Scalar):
        step = rest.pop(0)
        if isinstance(node, Entries):
            if step == 0:
                continue
            if rest and str(step) not in node.entries and f"{step}.{rest[0]}" in node.entries:
                step = f"{step}.{rest.pop(0)}"
            step = _spelled(node, step)
        node = _child(node, step)[1] if node is not None else None
        kept.append(step)
    return tuple(kept)


def _spelled(node: Entries, key: str | int) -> str | int:
    """Return `key` as it stands in `node`: names of fields are written in any case."""
    if str(key) in node.entries:
        return key
    return next((written for written in node.entries if written.lower() == str(key).lower()), key)


def _steps(root: Node, path: Path) -> Iterator[tuple[Mark, Node]]:
    """Place of the key (for a list: of the item) and node for each step of `path`, as far as it leads."""
    node = root
    for step in path:
        mark, child = _child(node, step)
        if child is None:
            return
        yield mark, child
        node = child


def _child(node: Node, step: str | int) -> tuple[Mark, Node | None]:
    if isinstance(node, Entries) and str(step) in node.entries:
        return node.marks[str(step)], node.entries[str(step)]
    if isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
        return node.items[step].mark, node.items[step]
    return node.mark, None


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StopError(Exception):
    """A limit is passed; there is nothing more to read."""


class _Composer:
    """Converts events to nodes. Problems are collected; text behind a syntax error is not read."""

    def __init__(self, file: str, env: Mapping[str, str]) -> None:
        self.file = file
        self.env = env
        self.problems: list[Problem] = []
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.count = 0

    def mark(self, mark: Any) -> Mark:
        return Mark(self.file, mark.line + 1, mark.column + 1)

    def document(self, events: Iterator[Event]) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.report(event, (), "a second document; one file holds one")
                    break
            elif isinstance(event, NodeEvent):
                root = self.node(event, events, ())
        return root

    def report(self, event: Event, path: Path, message: str) -> None:
        self.problems.append(Problem(self.mark(event.start_mark), path, message))

    def stop(self, event: Event, path: Path, message: str) -> NoReturn:
        self.report(event, path, message)
        raise _StopError

    def node(self, event: Event, events: Iterator[Event], path: Path) -> Node:
        before = self.count
        self.count += 1
        if self.count > MAX_NODES:
            self.stop(event, (), f"too much; at most {MAX_NODES} values are read, aliases included")
        if len(path) > MAX_DEPTH:
            self.stop(event, (), f"nested too deeply; at most {MAX_DEPTH} levels are read")
        if isinstance(event, AliasEvent):
            return self.alias(event, path)
        node = self.content(event, events, path)
        if isinstance(event, NodeEvent) and event.anchor:
            self.anchors[event.anchor] = node, self.count - before
        return node

    def content(self, event: Event, events: Iterator[Event], path: Path) -> Node:
        if isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag not in (None, "!"):
            self.report(event, path, f"tags such as {quote(event.tag)} are not read; remove it")
        if isinstance(event, ScalarEvent):
            return self.scalar(event, path)
        if isinstance(event, MappingStartEvent):
            return self.mapping(event, events, path)
        items = Items(self.mark(event.start_mark))
        while not isinstance(event := next(events), SequenceEndEvent):
            items.items.append(self.node(event, events, (*path, len(items.items))))
        return items

    def alias(self, event: AliasEvent, path: Path) -> Node:
        if event.anchor not in self.anchors:
            self.report(event, path, f"*{event.anchor} is not anchored (&{event.anchor}) before this place")
            return Scalar(self.mark(event.start_mark), "", True)
        node, size = self.anchors[event.anchor]
        self.count += size
        return node

    def scalar(self, event: ScalarEvent, path: Path) -> Scalar:
        mark = self.mark(event.start_mark)
        text = event.value
        try:
            text = expand(text, self.env)
        except ValueError as error:
            self.problems.append(Problem(mark, path, str(error)))
        return Scalar(mark, text, not event.style and event.tag is None)

    def mapping(self, start: MappingStartEvent, events: Iterator[Event], path: Path) -> Entries:
        mapping = Entries(self.mark(start.start_mark))
        while not isinstance(event := next(events), MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                self.stop(event, path, "a key must be plain text")
            key, mark = event.value, self.mark(event.start_mark)
            node = self.node(next(events), events, (*path, key))
            if key in mapping.entries:
                first = mapping.marks[key]
                self.report(event, (*path, key), f"written twice; the first is at {first}")
            else:
                mapping.entries[key], mapping.marks[key] = node, mark
        return mapping
