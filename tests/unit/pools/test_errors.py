"""The table of failures says one consistent thing about each."""

from __future__ import annotations

import pytest

from adc.pools.errors import Failure, FailureSource

RFC_9209_TOKENS = {
    "connection_limit_reached",
    "connection_read_timeout",
    "connection_refused",
    "connection_terminated",
    "connection_timeout",
    "connection_write_timeout",
    "destination_ip_unroutable",
    "destination_unavailable",
    "dns_error",
    "dns_timeout",
    "http_protocol_error",
    "http_response_header_section_size",
    "http_response_incomplete",
    "http_response_timeout",
    "http_upgrade_failed",
    "proxy_internal_error",
    "tls_alert_received",
    "tls_certificate_error",
    "tls_protocol_error",
}


@pytest.mark.parametrize("failure", [failure for failure in Failure if failure is not Failure.CLIENT_GONE])
def test_every_failure_that_can_be_answered_has_a_gateway_status_and_a_registered_token(failure: Failure):
    assert failure.status in (502, 503, 504)
    assert failure.token in RFC_9209_TOKENS


@pytest.mark.parametrize("failure", Failure)
def test_a_failure_is_found_by_the_word_that_logs_show(failure: Failure):
    assert Failure(failure.value) is failure


@pytest.mark.parametrize("failure", Failure)
def test_timeouts_of_members_are_504_and_nothing_else_of_theirs_is(failure: Failure):
    if failure.source is FailureSource.MEMBER:
        assert (failure.status == 504) == failure.value.endswith("_timeout")


@pytest.mark.parametrize("failure", Failure)
def test_failures_to_connect_never_sent_anything(failure: Failure):
    if failure.retry_on == "connect_failure":
        assert failure.unsent
