import pytest

from adc.net.sources import SourceLimit


def test_source_over_its_limit_is_refused_until_one_leaves():
    limit = SourceLimit(2)
    assert [limit.admit("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert limit.admit("192.0.2.2")
    limit.leave("192.0.2.1")
    assert limit.admit("192.0.2.1")
    assert not limit.admit("192.0.2.1")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("unix", "unix", True),
    ],
)
def test_clients_of_one_subnet_are_one_source(one, other, same):
    limit = SourceLimit(1)
    assert limit.admit(one)
    assert limit.admit(other) is not same


def test_another_limit_keeps_the_counts():
    limit = SourceLimit(1)
    assert [limit.admit("192.0.2.1") for _ in range(2)] == [True, False]
    limit.follow(2, lambda address: address == "10.0.0.1")
    assert [limit.admit("192.0.2.1") for _ in range(2)] == [True, False]
    assert [limit.admit("10.0.0.1") for _ in range(3)] == [True] * 3


def test_exempt_and_present_addresses():
    limit = SourceLimit(1, lambda address: address == "10.0.0.1", ["192.0.2.1"])
    assert limit.admit("10.0.0.1")
    assert limit.admit("10.0.0.1")
    assert not limit.admit("192.0.2.1")
    limit.leave("192.0.2.1")
    assert limit.admit("192.0.2.1")


def test_leaving_more_often_than_coming_does_no_harm():
    limit = SourceLimit(1)
    limit.leave("192.0.2.1")
    assert limit.admit("192.0.2.1")
    assert not limit.admit("192.0.2.1")


def test_full_source_is_known_without_counting():
    limit = SourceLimit(1)
    assert not limit.full("192.0.2.1")
    assert limit.admit("192.0.2.1")
    assert limit.full("192.0.2.1")
    assert not limit.full("192.0.2.2")
