"""Allows and denies clients by the place of their address, and tells it to members."""

from __future__ import annotations

import asyncio
from pathlib import Path

import maxminddb
from adc_plugins.geo.database import Databases, open_database
from adc_plugins.geo.options import GeoOptions, Places
from adc_plugins.geo.places import Place

from adc.plugin import Context, Host, IdentityFields, OptionErrors, Plugin, Response


class Verdicts:
    """Decides on places."""

    def __init__(self, options: GeoOptions) -> None:
        self._allow = _Set(options.allow)
        self._deny = _Set(options.deny)
        self._unknown = not self._allow if options.unknown is None else options.unknown == "allow"

    def allows(self, place: Place) -> bool:
        """Return the verdict on a place."""
        if not place.known:
            return self._unknown
        return place not in self._deny and (not self._allow or place in self._allow)


class _Set:
    def __init__(self, places: Places) -> None:
        self._countries = frozenset(places.countries)
        self._continents = frozenset(places.continents)
        self._asns = frozenset(places.asns)

    def __bool__(self) -> bool:
        return bool(self._countries or self._continents or self._asns)

    def __contains__(self, place: Place) -> bool:
        return (
            place.country in self._countries or place.continent in self._continents or place.asn in self._asns
        )


class Geo(Plugin[GeoOptions]):
    """Denies requests from places that are not allowed, and tells members where a client is."""

    def __init__(self, options: GeoOptions) -> None:
        super().__init__(options)
        self._verdicts = Verdicts(options)
        self._fields = [(fact, name.encode()) for fact, name in options.fields.items()]
        try:
            self._identity = self.identity = IdentityFields(options.fields.values())
        except ValueError as error:
            raise OptionErrors([(("fields",), str(error))]) from None
        self._by_peer = options.by == "peer"
        self._denied = Response(options.status, error_page=True)
        self._readers: dict[Path, maxminddb.Reader] = {}

    async def start(self, host: Host) -> None:
        self._refused = host.counter("denied", "Requests denied, or that would be in a dry run.")
        self._by_country = host.keyed_counter("denied_countries", "Denied requests by country.", most=300)
        for path in self.options.databases:
            host.watch_file(path, lambda path=path: self._load(path))
            self._readers[path] = await asyncio.to_thread(open_database, path)
        self._databases = Databases(list(self._readers.values()))

    async def _load(self, path: Path) -> None:
        self._readers[path] = await asyncio.to_thread(open_database, path)
        self._databases = Databases(list(self._readers.values()))

    def request_head(self, context: Context) -> Response | None:
        """Deny the request, or tell the member the place."""
        request = context.request
        address = request.client.peer if self._by_peer else request.source
        place = self._databases.place(address)
        if not self._verdicts.allows(place) and not self.options.exempt.contains(address):
            self._refused.add()
            self._by_country.add(place.country or "unknown")
            if not self.options.dry_run:
                return self._denied
            context.warn("the place would be denied", address=address, country=place.country, asn=place.asn)
        if self._fields:
            values = [(name, place.field(fact)) for fact, name in self._fields]
            self._identity.write(request.headers, [pair for pair in values if pair[1]])
        return None
