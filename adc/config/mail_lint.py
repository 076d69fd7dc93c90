"""Probable mistakes in the routes of mail."""

from __future__ import annotations

from collections.abc import Iterator

from adc.config.errors import Path
from adc.config.model.config import Config
from adc.config.model.smtp import SmtpMatch, SmtpRoute


def doubtful_mail_routes(config: Config) -> Iterator[tuple[Path, str]]:
    """Yield routes of smtp listeners that no recipient reaches."""
    for place, listener in enumerate(config.listeners):
        if listener.smtp is not None:
            for number, text in _unreached(listener.smtp.routes):
                yield ("listeners", place, "smtp", "routes", number), text


def _unreached(routes: tuple[SmtpRoute, ...]) -> Iterator[tuple[int, str]]:
    everything = SmtpMatch.defaults()
    first: dict[SmtpMatch, int] = {}
    for number, route in enumerate(routes):
        size = route.match.size
        if size is not None and size.min is not None and size.max is not None and size.min > size.max:
            yield number, "matches no message: size.min is above size.max"
        before = first.get(everything, first.get(route.match))
        if before is not None:
            yield number, f"is never reached: routes[{before}] matches all that it matches"
        first.setdefault(route.match, number)
