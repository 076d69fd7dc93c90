"""The table of methods is that of the registry."""

import pytest

from adc.http.methods import IDEMPOTENT, SAFE


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "REPORT", "SEARCH", "QUERY"]
)
def test_safe_methods_are_idempotent(method):
    assert method in SAFE
    assert method in IDEMPOTENT


@pytest.mark.parametrize("method", ["PUT", "DELETE", "MKCOL", "COPY", "MOVE", "PROPPATCH", "UNLOCK"])
def test_methods_that_may_be_repeated_are_not_safe(method):
    assert method in IDEMPOTENT
    assert method not in SAFE


@pytest.mark.parametrize("method", ["POST", "PATCH", "LOCK", "CONNECT", "FOO", "get", "*", ""])
def test_other_methods_are_never_sent_twice(method):
    assert method not in IDEMPOTENT
