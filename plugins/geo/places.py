"""What the records of a database say about an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

_LONGEST_TEXT = 200


class Place(NamedTuple):
    """Where an address is: codes of ISO 3166-1 and of continents in capitals, the number of the autonomous system, the
    English name of the city. Empty or 0: unknown."""

    country: str = ""
    continent: str = ""
    asn: int = 0
    city: str = ""

    @property
    def known(self) -> bool:
        """True if a database has the address."""
        return self != UNKNOWN

    def field(self, name: str) -> bytes:
        """Return one of the facts as a field value; characters outside of ASCII are percent-encoded UTF-8."""
        value = getattr(self, name)
        return quote(str(value), safe=" '().,/").encode() if value else b""


UNKNOWN = Place()


def place_of(record: Mapping[str, Any]) -> Place:
    """Return the place in a record. Reads the structure of MaxMind's and DB-IP's databases, and the flat one of
    others."""
    country = _code(record.get("country"), "iso_code") or _code(record.get("registered_country"), "iso_code")
    city = record.get("city")
    if isinstance(city, Mapping):
        names = city.get("names")
        city = names.get("en") if isinstance(names, Mapping) else None
    return Place(
        country or _code(record.get("country_code")),
        _code(record.get("continent"), "code") or _code(record.get("continent_code")),
        _number(record.get("autonomous_system_number") or record.get("asn")),
        city[:_LONGEST_TEXT] if isinstance(city, str) else "",
    )


def merged(places: list[Place]) -> Place:
    """Return what several databases know together; the first that knows a fact counts."""
    if len(places) == 1:
        return places[0]
    columns = zip(*places, strict=True)
    return Place(*(next((fact for fact in column if fact), column[0]) for column in columns))


def _code(value: object, key: str = "") -> str:
    if isinstance(value, Mapping):
        value = value.get(key)
    return value.upper() if isinstance(value, str) and len(value) == 2 and value.isascii() else ""


def _number(value: object) -> int:
    text = str(value).upper().removeprefix("AS")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 0
