"""Options of `bot_challenge`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from adc.plugin import Duration, NetworkList, Networks, Options, Strings


class Crawler(Options):
    """A robot that is welcome, known by where it comes from."""

    agent: str = Field(min_length=3)
    """Part of its User-Agent, in any case: `Googlebot`."""

    sources: NetworkList
    """Its networks. A client that only claims to be the robot is challenged."""


class BotChallengeOptions(Options):
    """Browsers solve the challenge by themselves; it takes about a second."""

    difficulty: int = Field(16, ge=1, le=26)
    """Zero bits that a solution needs; each further bit doubles the work. 16 takes a phone about a second."""

    lifetime: Duration = 86400.0
    """Time for which a client that solved a challenge passes."""

    exempt_paths: Strings = ("/robots.txt", "/.well-known/")
    """Paths that are not challenged; one that ends in `/` with everything below it."""

    api: Literal["refuse", "pass"] = "refuse"
    """Requests that do not accept HTML, from clients that have solved no challenge: 403, or pass. With `pass` a robot
    needs but to say that it wants no HTML."""

    allow: NetworkList = Field(default_factory=Networks)
    """Clients that are not challenged."""

    crawlers: tuple[Crawler, ...] = ()
    """Robots that are not challenged: `[{agent: Googlebot, sources: [66.249.64.0/19]}]`."""

    dry_run: bool = False
    """Nobody is challenged or refused: who would be is counted."""

    cookie: str = Field("adc_pass", pattern=r"^[A-Za-z0-9_\-]{1,60}$")
    """Name of the cookie; over https with `__Host-` in front."""
