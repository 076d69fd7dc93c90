"""Finding plugins: installed ones by entry point, others in folders."""

from __future__ import annotations

import difflib
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

from adc.plugin.base import Plugin

GROUP = "adc.plugins"

_generations = count(1)


class LoadFailed(Exception):
    """A plugin cannot be loaded; the text says why and, for an unknown one, names the known ones."""


class Catalog:
    """The plugins that one configuration may name. Folders come before installed packages.

    Each catalog imports the modules of its folders again, under its own names, so that a reload sees new text and the
    serving configuration keeps the old. Installed plugins are imported once, at their first use. Raises LoadFailed for
    a folder or module that cannot be read.
    """

    def __init__(self, folders: Iterable[Path | str] = ()) -> None:
        self._installed = _installed(tuple(map(_changed, sys.path)))
        self._found: dict[str, type[Plugin[Any]]] = {}
        self._prefix = f"adc_plugin_paths_{next(_generations)}"
        try:
            for number, folder in enumerate(folders):
                self._search(Path(folder), number)
        except BaseException:
            self.close()
            raise

    def names(self) -> list[str]:
        """Return every name, sorted."""
        return sorted({*self._found, *self._installed})

    def origin(self, name: str) -> str:
        """Return the origin of a plugin: its file, or `module:class` of an installed one."""
        found = self._found.get(name)
        if found is None:
            return self._installed[name].value
        return str(getattr(sys.modules.get(found.__module__), "__file__", found.__module__))

    def find(self, name: str) -> type[Plugin[Any]]:
        """Return the plugin called `name`. Raises LoadFailed."""
        if name in self._found:
            return self._found[name]
        entry = self._installed.get(name)
        if entry is None:
            raise LoadFailed(self._unknown(name))
        try:
            plugin = entry.load()
        except (Exception, SystemExit) as error:
            raise LoadFailed(f"cannot be imported: {type(error).__name__}: {error}") from error
        if not (isinstance(plugin, type) and issubclass(plugin, Plugin)):
            raise LoadFailed(f"{entry.value} is not a subclass of adc.plugin.Plugin")
        return plugin

    def close(self) -> None:
        """Forget the modules of the folders; classes in use live on."""
        for name in [name for name in sys.modules if name.partition(".")[0].startswith(self._prefix + "_")]:
            del sys.modules[name]

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.names(), n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}? " if near else ""
        return f"there is no such plugin; {hint}Known: {', '.join(self.names()) or 'none'}"

    def _search(self, folder: Path, number: int) -> None:
        if not folder.is_dir():
            raise LoadFailed(f"{folder} is not a folder")
        for path in sorted(folder.iterdir()):
            file = path / "__init__.py" if path.is_dir() else path
            if file.suffix == ".py" and file.is_file() and not path.name.startswith(("_", ".", "test_")):
                module = self._import(file, f"{self._prefix}_{number}_{path.stem}")
                for name, plugin in _plugins_of(module, path.stem):
                    if name in self._found:
                        raise LoadFailed(f"{file}: a plugin {name} is in {self.origin(name)} already")
                    self._found[name] = plugin

    def _import(self, file: Path, name: str) -> ModuleType:
        package = [str(file.parent)] if file.name == "__init__.py" else None
        spec = importlib.util.spec_from_file_location(
            name, file, loader=_Source(name, str(file)), submodule_search_locations=package
        )
        if spec is None or spec.loader is None:
            raise LoadFailed(f"{file}: cannot be imported")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses and pydantic look annotations up there
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            raise LoadFailed(f"{file}: {type(error).__name__}: {error}") from error
        return module


@lru_cache(maxsize=1)
def _installed(folders: tuple[tuple[str, int], ...]) -> dict[str, EntryPoint]:
    """Return the installed plugins by name. To look for them takes some milliseconds, so that they are looked for again
    only when one of the `folders` that packages are in has changed."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}


def _changed(folder: str) -> tuple[str, int]:
    """Return a folder of `sys.path` with the time of its last change; 0 if there is none."""
    try:
        return folder, os.stat(folder or ".").st_mtime_ns
    except OSError:
        return folder, 0


class _Source(importlib.machinery.SourceFileLoader):
    """Compiles the source each time: a cache by modification time would miss a quick edit."""

    def path_stats(self, path: str) -> Any:
        raise OSError


def _plugins_of(module: ModuleType, stem: str) -> list[tuple[str, type[Plugin[Any]]]]:
    """Return the plugins that `module` defines: a single one has the name of the module, others their `name`."""
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Plugin)
        and value.__module__.startswith(module.__name__)
        and not value.__name__.startswith("_")
    ]
    if not found:
        raise LoadFailed(f"{module.__file__}: has no subclass of adc.plugin.Plugin")
    named = [(plugin.name or (stem if len(found) == 1 else ""), plugin) for plugin in dict.fromkeys(found)]
    for name, plugin in named:
        if not name:
            raise LoadFailed(
                f"{module.__file__}: several plugins, and {plugin.__name__} has no name; write name = ..."
            )
    return named
