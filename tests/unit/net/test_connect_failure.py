"""Kinds of failures to connect."""

import errno

import pytest

from adc.net.connect_failure import failure_of
from adc.pools.errors import Failure


@pytest.mark.parametrize(
    ("number", "failure"),
    [
        (errno.EMFILE, Failure.CONNECTION_LIMIT),
        (errno.EADDRNOTAVAIL, Failure.CONNECTION_LIMIT),
        (errno.EHOSTUNREACH, Failure.UNROUTABLE),
    ],
)
def test_no_member_is_to_blame_for_what_this_machine_lacks(number, failure):
    assert failure_of(OSError(number, "")) is failure
