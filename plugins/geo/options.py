"""The options of geo."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from adc.plugin import FilePath, NetworkList, Options

CONTINENTS = ("AF", "AN", "AS", "EU", "NA", "OC", "SA")


def _country(code: str) -> str:
    if not re.fullmatch(r"[A-Za-z]{2}", code):
        raise ValueError(f"{code!r} is not a country; write a code of ISO 3166-1 such as KR")
    return code.upper()


def _continent(code: str) -> str:
    if code.upper() not in CONTINENTS:
        raise ValueError(f"{code!r} is not a continent; use {', '.join(CONTINENTS)}")
    return code.upper()


def _listed(written: object) -> object:
    return written if isinstance(written, list | tuple) else (written,)


class Places(Options):
    """Countries, continents and networks; one of them suffices."""

    countries: tuple[Annotated[str, AfterValidator(_country)], ...] = ()
    """Codes of ISO 3166-1: `[KR, JP]`. Quote `"NO"`, which is a truth value in YAML."""

    continents: tuple[Annotated[str, AfterValidator(_continent)], ...] = ()
    """AF, AN, AS, EU, NA, OC or SA."""

    asns: tuple[Annotated[int, Field(ge=1, le=4_294_967_295)], ...] = ()
    """Numbers of autonomous systems: `[4766]`."""


class GeoOptions(Options):
    databases: Annotated[tuple[FilePath, ...], BeforeValidator(_listed), Field(min_length=1)]
    """One or several files in MaxMind's format (GeoLite2, DB-IP and others), read again when they change. Each worker
    holds them in memory."""

    allow: Places = Places()
    """Places that are allowed; if there are any, all others are denied."""

    deny: Places = Places()
    """Places that are denied, also if `allow` has them."""

    unknown: Literal["allow", "deny"] | None = None
    """Verdict on addresses that no database has. By default `deny` if `allow` has places, else `allow`."""

    exempt: NetworkList = Field(default=(), validate_default=True)
    """Networks that are always allowed, such as those of monitoring."""

    fields: dict[Literal["country", "continent", "asn", "city"], str] = Field(
        default={"country": "X-Geo-Country"}
    )
    """Fields that tell the member the place, in place of those of the client. An unknown fact sets none."""

    by: Literal["client", "peer"] = "client"
    """Address that counts: `client` as trusted proxies name it, or `peer`, the other end of the connection."""

    status: Annotated[int, Field(ge=400, le=599)] = 403
    """Status of a denied request; 451 says that law demands it."""

    dry_run: bool = False
    """Count and log what would be denied, and let it pass."""
