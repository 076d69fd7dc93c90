"""One process has a table; what it claims is free when it ends."""

import os

import pytest

from adc.control.kernel_claim import TableClaim, TableTaken

TABLE = f"adc_test_{os.getpid()}"


@pytest.fixture
def claims():
    made = [TableClaim(), TableClaim()]
    yield made
    for claim in made:
        claim.release()


def test_second_process_is_refused_with_the_remedy(claims):
    first, second = claims
    first.take(TABLE)
    first.take(TABLE)
    first.check(TABLE)
    for attempt in (second.take, second.check):
        with pytest.raises(TableTaken, match="give each instance on this machine its own node name"):
            attempt(TABLE)
    first.release()
    second.take(TABLE)


def test_refused_claim_leaves_the_one_before(claims):
    first, second = claims
    first.take(TABLE)
    second.take(f"{TABLE}_2")
    with pytest.raises(TableTaken):
        second.take(TABLE)
    with pytest.raises(TableTaken):
        first.check(f"{TABLE}_2")


def test_claim_moves_with_the_name(claims):
    first, second = claims
    first.take(TABLE)
    first.take(f"{TABLE}_2")
    second.take(TABLE)


def test_long_names_are_claimed(claims):
    first, second = claims
    first.take(TABLE.ljust(132, "x"))
    with pytest.raises(TableTaken):
        second.take(TABLE.ljust(132, "x"))
