from __future__ import annotations

import re

import pytest

from adc.telemetry.families import FAMILIES, Family, family_of


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_names_follow_the_conventions_of_prometheus(family: Family) -> None:
    assert re.fullmatch(r"adc_[a-z_]+", family.name)
    assert family.name.endswith("_total") == (family.type == "counter")
    assert family.help.endswith(".")
    assert not {"le", "quantile", "job", "instance"} & set(family.labels)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_only_gauges_may_be_merged_other_than_by_sum(family: Family) -> None:
    assert family.type == "gauge" or family.merge == "sum"


def test_the_parts_of_a_histogram_belong_to_its_family() -> None:
    family = FAMILIES["adc_request_duration_seconds"]
    assert {family_of(family.name + part) for part in ("_bucket", "_sum", "_count")} == {family}
    with pytest.raises(KeyError):
        family_of(family.name)
