"""Access by place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from adc_plugins.geo.places import Place, merged, place_of
from adc_plugins.geo.plugin import Geo

from adc.plugin import OptionErrors
from adc.plugin.testkit import PluginStartFailed, Trial, request
from tests.kit.mmdb import write_database

SEOUL = {"country": {"iso_code": "KR"}, "continent": {"code": "AS"}, "city": {"names": {"en": "Seoul"}}}
ZURICH = {"country": {"iso_code": "CH"}, "continent": {"code": "EU"}, "city": {"names": {"en": "Zürich"}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_database(tmp_path / "city.mmdb", {"192.0.2.0/24": SEOUL, "2001:db8::/32": ZURICH})
    write_database(tmp_path / "asn.mmdb", {"192.0.2.128/25": {"autonomous_system_number": 4766}})
    return tmp_path


def trial(folder: Path, **options: Any) -> Trial:
    return Trial(Geo, {"databases": ["city.mmdb", "asn.mmdb"], **options}, folder=folder)


@pytest.mark.parametrize(
    ("options", "korean", "swiss", "unknown"),
    [
        ({}, 200, 200, 200),
        ({"allow": {"countries": ["kr"]}}, 200, 403, 403),
        ({"deny": {"countries": ["KR"]}}, 403, 200, 200),
        ({"allow": {"continents": ["EU"]}, "unknown": "allow"}, 403, 200, 200),
        ({"deny": {"continents": ["EU"]}, "unknown": "deny"}, 200, 403, 403),
        ({"allow": {"continents": ["AS", "EU"]}, "deny": {"countries": ["CH"]}}, 200, 403, 403),
        ({"allow": {"countries": ["KR"]}, "exempt": ["203.0.113.0/24"]}, 200, 403, 200),
        ({"deny": {"countries": ["KR"]}, "status": 451}, 451, 200, 200),
    ],
)
def test_place_decides(folder: Path, options: Any, korean: int, swiss: int, unknown: int) -> None:
    statuses = [
        trial(folder, **options).run(request(client=client)).response.status
        for client in ("192.0.2.1", "2001:db8::1", "203.0.113.9")
    ]
    assert statuses == [korean, swiss, unknown]


def test_autonomous_system_of_a_second_database(folder: Path) -> None:
    for client, status in (("192.0.2.1", 200), ("192.0.2.200", 403)):
        assert trial(folder, deny={"asns": [4766]}).run(request(client=client)).response.status == status


def test_member_receives_the_place_and_no_spoofed_one(folder: Path) -> None:
    fields = {"country": "X-Geo-Country", "city": "X-Geo-City", "asn": "X-Geo-ASN"}
    spoofed = {"X-Geo-Country": "US", "x-geo-asn": "1", "X_Geo_Country": "US"}
    outcome = trial(folder, fields=fields).run(request(client="2001:db8::1", headers=spoofed))
    lines = [pair for pair in outcome.request.headers if pair[0] != b"Host"]
    assert lines == [(b"X-Geo-Country", b"CH"), (b"X-Geo-City", b"Z%C3%BCrich")]
    outcome = trial(folder).run(request(client="203.0.113.9", headers=spoofed))
    assert b"x-geo-country" not in outcome.request.headers


async def test_dry_run_counts_by_country(folder: Path) -> None:
    async with trial(folder, deny={"countries": ["KR"]}, dry_run=True) as use:
        outcome = await use.exchange()
        assert (outcome.response.status, outcome.messages[0]["country"]) == (200, "KR")
        assert use.counters == {"denied": 1}
        assert use.keyed_counters == {"denied_countries": {"KR": 1}}


async def test_database_is_read_again_and_a_broken_one_is_not_taken(folder: Path) -> None:
    async with trial(folder, deny={"countries": ["KR"]}) as use:
        assert (await use.exchange()).response.status == 403
        (folder / "city.mmdb").write_bytes(b"half a file")
        await use.pass_time(1)
        assert "city.mmdb is not a database in MaxMind's format" in str(use.messages[0]["detail"])
        assert (await use.exchange()).response.status == 403
        write_database(folder / "city.mmdb", {"192.0.2.0/24": ZURICH})
        await use.pass_time(1)
        assert (await use.exchange()).response.status == 200


async def test_missing_or_broken_database_refuses_the_start(folder: Path) -> None:
    (folder / "broken").write_bytes(b"\0" * 100)
    for name, message in (("missing", "No such file"), ("broken", "not a database in MaxMind's format")):
        with pytest.raises(PluginStartFailed, match=message):
            async with Trial(Geo, {"databases": name}, folder=folder):
                pass


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"deny": {"countries": ["Korea"]}}, "'Korea' is not a country"),
        ({"deny": {"continents": ["XX"]}}, "use AF, AN, AS, EU"),
        ({"deny": {"asns": [0]}}, r"asns\.0: 0 is out of range; allowed: 1 and more"),
        ({"exempt": ["10.0.0.1/8"]}, "has host bits set"),
        ({"fields": {"country": "X Geo"}}, "fields: .*not the name of a field"),
    ],
)
def test_wrong_options_are_named(folder: Path, options: Any, message: str) -> None:
    with pytest.raises(OptionErrors, match=message):
        trial(folder, **options)


@pytest.mark.parametrize(
    ("record", "place"),
    [
        ({"country": "KR", "continent": "AS", "asn": "AS4766"}, Place("KR", "AS", 4766)),
        ({"country_code": "kr", "continent_code": "AS"}, Place("KR", "AS")),
        ({"registered_country": {"iso_code": "US"}}, Place("US")),
        ({"country": {"iso_code": 5}, "asn": "x", "city": {"names": []}}, Place()),
    ],
)
def test_records_of_other_structures_are_read(record: Any, place: Place) -> None:
    assert place_of(record) == place


def test_first_database_that_knows_a_fact_counts() -> None:
    assert merged([Place("KR"), Place("US", "AS", 1)]) == Place("KR", "AS", 1)
