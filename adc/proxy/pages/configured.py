"""Error pages that the configuration names, by status or by class of statuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adc.proxy.pages.rendering import texts

if TYPE_CHECKING:
    from jinja2 import Environment, Template

Names = Mapping[str, str]
"""Path of a jinja2 template by status (`404`) or class (`5xx`)."""

KNOWN: Final = tuple(status.value for status in HTTPStatus if status.value >= 400)
"""Statuses whose pages are rendered when the configuration is loaded."""


class Templates:
    """The templates of a configuration: each is compiled once, and each of its pages rendered once."""

    __slots__ = ("_environment", "_pages", "_templates")

    def __init__(self) -> None:
        self._environment: Environment | None = None
        self._templates: dict[str, Template] = {}
        self._pages: dict[tuple[str, int], bytes] = {}

    def page(self, path: str, status: int) -> bytes:
        """Return the page for `status`. Raises OSError and whatever a template may raise."""
        key = (path, status)
        if key not in self._pages:
            rendered = self._template(path).render(status=status, **texts(status))
            self._pages[key] = rendered.encode()
        return self._pages[key]

    def _template(self, path: str) -> Template:
        if path not in self._templates:
            if self._environment is None:
                from jinja2 import Environment, PackageLoader

                self._environment = Environment(autoescape=True, loader=PackageLoader("adc.proxy", "pages"))
            self._templates[path] = self._environment.from_string(Path(path).read_text("utf-8"))
        return self._templates[path]


class Pages:
    """Pages by status. Of `layers` the first that names a status counts; in a layer a status comes before its class."""

    __slots__ = ("_layers", "_templates")

    def __init__(self, layers: Sequence[Names] = (), templates: Templates | None = None) -> None:
        self._layers = tuple(layers)
        self._templates = templates or Templates()

    def path(self, status: int) -> str | None:
        """Return the path of the template for `status`, None if no layer names one."""
        for layer in self._layers:
            for name in (str(status), f"{status // 100}xx"):
                if name in layer:
                    return layer[name]
        return None

    def rendered(self) -> Iterator[tuple[int, bytes]]:
        """Yield the known statuses that have a page, with it. Raises OSError and whatever a template may raise."""
        for status in sorted({*KNOWN, *self._named()}):
            path = self.path(status)
            if path is not None:
                yield status, self._templates.page(path, status)

    def page(self, status: int) -> bytes | None:
        """Return the page for any status; None without a template, or if that fails for a status that is not known."""
        path = self.path(status)
        if path is None:
            return None
        try:
            return self._templates.page(path, status)
        except Exception:  # whatever a template of the user's may raise
            return None

    def _named(self) -> Iterator[int]:
        return (int(name) for layer in self._layers for name in layer if name.isdigit())
