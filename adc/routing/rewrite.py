"""What a member sees instead of the path and the host that the client sent."""

from __future__ import annotations

from collections.abc import Sequence

from adc.http.patterns import Replacement
from adc.http.target import BadTarget, join_target, normalise_path, parse_host
from adc.routing.paths import path_exact


class Rewrite:
    """A compiled rewrite of the normalised path: `strip_prefix`, then `substitutions`, then `add_prefix`.

    `strip_prefix` takes whole segments off (`/api`: `/api/users` -> `/users`, `/api` -> `/`) and leaves other
    paths alone; its closing slash makes no difference. A substitution is a regular expression and what every
    match of it becomes (`\\1` is its first group). `host` replaces the Host field. Raises `ValueError`.
    """

    __slots__ = ("_added", "_stripped", "_substitutions", "host")

    def __init__(
        self,
        *,
        strip_prefix: str = "",
        substitutions: Sequence[tuple[str, str]] = (),
        add_prefix: str = "",
        host: str | None = None,
    ) -> None:
        self._stripped = path_exact(strip_prefix).text.rstrip("/") if strip_prefix else ""
        self._substitutions = tuple(Replacement(pattern, text) for pattern, text in substitutions)
        self._added = path_exact(add_prefix).text.rstrip("/") if add_prefix else ""
        self.host = host
        if host is not None:
            parse_host(host)

    def target(self, path: str, query: str) -> str:
        """The target for the member; the query stays. Raises `BadTarget` if a substitution spoils it."""
        if path == "*":
            return path
        stripped = self._stripped
        if stripped and path.startswith(stripped) and path[len(stripped) : len(stripped) + 1] in ("/", ""):
            path = path[len(stripped) :] or "/"
        if self._substitutions:
            path = self._substituted(path)
        return join_target(self._added + path, query)

    def _substituted(self, path: str) -> str:
        try:
            for replacement in self._substitutions:
                path = replacement.apply(path)
        except ValueError as error:
            raise BadTarget(str(error)) from None
        return normalise_path(path if path.startswith("/") else f"/{path}")
