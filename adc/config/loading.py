"""From files to a checked configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from adc.config.binds import clashes
from adc.config.errors import ConfigErrors, Mark, Path, Problem, path_text
from adc.config.kernel_path import unsupported
from adc.config.lint import doubtful
from adc.config.merge import merge
from adc.config.messages import is_consequence, message_of, path_of
from adc.config.model.config import Config
from adc.config.pool_effects import ineffective
from adc.config.references import unresolved
from adc.config.timeouts import NOTHING_SEEN, Seen, disagreements
from adc.config.yaml_marks import Entries, Node, as_written, compose, locate, locate_key, plain

MAX_BYTES = 64 << 20
"""Larger files are refused unread."""


@dataclass(frozen=True)
class Loaded:
    """A configuration that may be used, and how to find its values in the files it came from."""

    config: Config
    files: Mapping[str, str]
    """Text of each file read, by path, in the order of merging."""
    root: Node

    def where(self, path: Path) -> Mark:
        """Return the place of the value at `path`, such as `("routes", 3, "match")`, or of the nearest above it."""
        return locate(self.root, as_written(self.root, path))

    @cached_property
    def lint(self) -> tuple[Problem, ...]:
        """Return probable mistakes: routes that never match, unused pools, members listed twice."""
        return self.problems(doubtful(self.config))

    def timeouts(self, seen: Mapping[tuple[str, str], Seen] = NOTHING_SEEN) -> tuple[Problem, ...]:
        """Return contradictory timeouts, with the values `seen` at members by pool and address."""
        return self.problems(disagreements(self.config, seen))

    def clash(self, path: Path, message: str, first: Path) -> Problem:
        """Return a problem at `path` that names the place of what was `first`."""
        return beside(self.root, path, message, first)

    def problems(self, findings: Iterable[tuple[Path, str]]) -> tuple[Problem, ...]:
        """Return `findings` with their places in the file, each once: listeners may share what is wrong."""
        return tuple(dict.fromkeys(_at(self.root, path, message) for path, message in findings))


def load(path: str | FilePath, env: Mapping[str, str] = os.environ) -> Loaded:
    """Read a file, or a folder of `*.yaml` merged by key.

    Raises `ConfigErrors` with everything that is wrong.
    """
    files = _read(FilePath(path))
    roots: list[Node] = []
    problems: list[Problem] = []
    for file, text in files.items():
        root, found = compose(text, file, env)
        problems += found
        if root is not None:
            problems += _not_a_mapping(root)
            roots.append(root)
    entries = [root for root in roots if isinstance(root, Entries)]
    if not entries:
        nothing = Problem(
            Mark(next(iter(files)), 1, 1), (), "nothing is configured; at least listeners are needed"
        )
        raise ConfigErrors(problems or [nothing])
    whole: Node = entries[0]
    for root in entries[1:]:
        whole, found = merge(whole, root)
        problems += found
    config, found = _checked(whole, _folder(FilePath(path)))
    # A file that could not be read to its end would make names look unknown that it may well give.
    unread = len(entries) < len(files)
    reported = {problem.mark for problem in problems}
    problems += [] if unread and problems else [problem for problem in found if problem.mark not in reported]
    if problems or config is None:
        raise ConfigErrors(problems)
    return Loaded(config, files, whole)


def _folder(path: FilePath) -> str:
    return str((path if path.is_dir() else path.parent).absolute())


def _read(path: FilePath) -> dict[str, str]:
    try:
        names = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if not names:
        raise ConfigErrors([Problem(Mark(str(path), 1, 1), (), "no *.yaml file in this folder")])
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for name in names:
        try:
            files[str(name)] = _text(name)
        except (OSError, ValueError) as error:
            problems += _unreadable(name, error).problems
    if problems:
        raise ConfigErrors(problems)
    return files


def _text(path: FilePath) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES >> 20}MB")
    return data.decode("utf-8-sig")


def _unreadable(path: FilePath, error: Exception) -> ConfigErrors:
    if isinstance(error, UnicodeDecodeError):
        line = error.object[: error.start].count(b"\n") + 1
        column = error.start - error.object.rfind(b"\n", 0, error.start)
        return ConfigErrors([Problem(Mark(str(path), line, column), (), "not UTF-8 text")])
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return ConfigErrors([Problem(Mark(str(path), 1, 1), (), f"cannot be read: {reason}")])


def _not_a_mapping(root: Node) -> list[Problem]:
    if isinstance(root, Entries) or plain(root) is None:
        return []
    return [
        Problem(root.mark, (), "a configuration is a mapping with keys such as listeners, routes and pools")
    ]


def _checked(root: Node, folder: str) -> tuple[Config | None, list[Problem]]:
    data = plain(root)
    problems = [_at(root, path, message) for path, message in unresolved(data)]
    problems += [beside(root, *clash) for clash in clashes(data)]
    config: Config | None = None
    try:
        config = Config.model_validate(data, context={"folder": folder})
    except ValidationError as error:
        problems += [_problem(root, e) for e in error.errors(include_url=False) if not is_consequence(e)]
    if config is not None:
        problems += [_at(root, path, message) for path, message in unsupported(config)]
        reported = {problem.path for problem in problems}
        found = [_at(root, path, message) for path, message in ineffective(config)]
        problems += [problem for problem in found if problem.path not in reported]
    return config and config.model_copy(update={"folder": folder}), problems


def beside(root: Node, path: Path, message: str, first: Path) -> Problem:
    """Return a problem at `path` that names the place of what was `first`."""
    written = as_written(root, first)
    return _at(root, path, f"{message}; the first is {path_text(first)} ({locate(root, written)})")


def _at(root: Node, path: Path, message: str) -> Problem:
    written = as_written(root, path)
    return Problem(locate(root, written), written, message)


def _problem(root: Node, error: Any) -> Problem:
    at = as_written(root, path_of(error))
    message = message_of(error)
    about_key = message.startswith("unknown key") or error["loc"][-1:] == ("[key]",)
    return Problem(locate_key(root, at) if about_key else locate(root, at), at, message)
