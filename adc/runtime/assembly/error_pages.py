"""Error pages of all routes together, and of each."""

from __future__ import annotations

from collections.abc import Mapping

from adc.config import Config
from adc.config.model.error_pages import statuses_of
from adc.config.model.routes import Route
from adc.proxy.pages.configured import Names, Pages, Templates
from adc.proxy.replies import Replies
from adc.runtime.errors import BuildError


class RoutePages:
    """The error pages of a configuration; routes with the same pages share them. Raises BuildError."""

    def __init__(self, config: Config) -> None:
        self._all = _names(config.error_pages)
        self._templates = Templates()
        self._made: dict[tuple[tuple[str, str], ...], Replies] = {}
        self.common = self._replies({}, "error_pages")

    def replies(self, route: Route) -> Replies:
        """Return the pages of `route`. Raises BuildError."""
        if not route.error_pages:
            return self.common
        return self._replies(_names(route.error_pages), f"route {route.name}: error_pages")

    def intercepted(self, route: Route) -> frozenset[int]:
        """Return the statuses of the application whose content `route` replaces."""
        intercept = route.intercept
        if isinstance(intercept, bool):
            named = (*route.error_pages, *(int(key) if key.isdigit() else key for key in self._all))
            intercept = named if intercept else ()
        return frozenset(status for each in intercept for status in statuses_of(each))

    def _replies(self, names: Names, where: str) -> Replies:
        key = tuple(sorted(names.items()))
        if key not in self._made:
            try:
                self._made[key] = Replies(Pages((names, self._all), self._templates))
            except Exception as error:  # whatever a template of the user's may raise
                raise BuildError(f"{where}: {error}") from error
        return self._made[key]


def _names(pages: Mapping[int | str, str]) -> Names:
    return {str(status): path for status, path in pages.items()}
