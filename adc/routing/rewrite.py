"""Path and host for the member, in place of the client's."""

from __future__ import annotations

from collections.abc import Sequence

from adc.http.patterns import Replacement
from adc.http.target import BadTarget, normalise_path, parse_host
from adc.routing.paths import path_exact


class Rewrite:
    """A compiled rewrite of the path: `strip_prefix`, then `substitutions`, then `add_prefix`.

    Substitutions apply to the normalised path. Without them the member receives the rest of the path as the client
    wrote it, if that still corresponds to the rest of the normalised one.

    `strip_prefix` removes whole segments (`/api`: `/api/users` -> `/users`, `/api` -> `/`) and leaves other paths
    alone; its closing slash makes no difference, and `stripped` is its normal form without one, as `added` is that of
    `add_prefix`. A substitution is a regular expression and its replacement (`\1` is the first group). `host` replaces
    the Host field. Raises `ValueError`.
    """

    __slots__ = ("_substitutions", "added", "host", "stripped")

    def __init__(
        self,
        *,
        strip_prefix: str = "",
        substitutions: Sequence[tuple[str, str]] = (),
        add_prefix: str = "",
        host: str | None = None,
    ) -> None:
        self.stripped = path_exact(strip_prefix).text.rstrip("/") if strip_prefix else ""
        self._substitutions = tuple(Replacement(pattern, text) for pattern, text in substitutions)
        self.added = path_exact(add_prefix).text.rstrip("/") if add_prefix else ""
        self.host = host
        if host is not None:
            parse_host(host)

    def target(self, path: str, target: str) -> str:
        """Return the target for the member in place of `target`, whose path is `path` in normal form; the query stays.
        Raises `BadTarget` if a substitution makes it invalid."""
        if path == "*":
            return path
        written, question, query = target.partition("?")
        rest = self._rest(path)
        if self._substitutions:
            made = self._substituted(rest)
        else:
            made = self._rest(written)
            if made != rest and not _stands_for(made, rest):
                made = rest
        return f"{self.added}{made}{question}{query}"

    def prefix(self, path: str) -> str:
        """Return the prefix that `strip_prefix` removes from the normalised `path`; "" if none."""
        return self.stripped if self._strips(path) else ""

    def _strips(self, path: str) -> bool:
        stripped = self.stripped
        return (
            bool(stripped)
            and path.startswith(stripped)
            and path[len(stripped) : len(stripped) + 1] in ("/", "")
        )

    def _rest(self, path: str) -> str:
        return path[len(self.stripped) :] or "/" if self._strips(path) else path

    def _substituted(self, path: str) -> str:
        try:
            for replacement in self._substitutions:
                path = replacement.apply(path)
        except ValueError as error:
            raise BadTarget(str(error)) from None
        return normalise_path(path if path.startswith("/") else f"/{path}")


def _stands_for(written: str, normal: str) -> bool:
    """True if `written` is a path whose normal form is `normal`."""
    try:
        return normalise_path(written) == normal
    except BadTarget:
        return False
