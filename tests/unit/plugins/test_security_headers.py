from __future__ import annotations

import pytest
from adc_plugins.security_headers import SecurityHeaders

from adc.plugin.testkit import OptionErrors, Trial, answer, request


def test_usual_fields_are_added_and_counted() -> None:
    trial = Trial(SecurityHeaders)
    headers = trial.run().response.headers
    assert headers.get(b"x-content-type-options") == b"nosniff"
    assert headers.get(b"x-frame-options") == b"SAMEORIGIN"
    assert trial.counters == {"added": 3}


def test_fields_of_the_application_win() -> None:
    outcome = Trial(SecurityHeaders).run(response=answer(headers={"X-Frame-Options": "DENY"}))
    assert outcome.response.headers.get_all(b"x-frame-options") == [b"DENY"]


def test_fields_that_identify_the_application_are_removed() -> None:
    fields = {"Server": "old/1.0", "X-Powered-By": "php", "X-Kept": "1"}
    headers = Trial(SecurityHeaders).run(response=answer(headers=fields)).response.headers
    assert (b"server" in headers, b"x-powered-by" in headers, b"x-kept" in headers) == (False, False, True)


def test_an_empty_option_leaves_a_field_out() -> None:
    assert b"x-frame-options" not in Trial(SecurityHeaders, {"frame_options": ""}).run().response.headers


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_strict_transport_security_is_for_tls_only(scheme: str) -> None:
    head = request()
    head.scheme = scheme
    outcome = Trial(SecurityHeaders, {"strict_transport_security": "max-age=60"}).run(head)
    assert (b"strict-transport-security" in outcome.response.headers) is (scheme == "https")


def test_a_value_that_would_begin_another_line_is_refused() -> None:
    with pytest.raises(OptionErrors, match="frame_options"):
        Trial(SecurityHeaders, {"frame_options": "DENY\r\nX-Evil: 1"})


def test_policy_on_trial_and_isolation_fields_are_added() -> None:
    options = {
        "content_security_policy_report_only": "default-src 'self'",
        "cross_origin_embedder_policy": "require-corp",
        "cross_origin_resource_policy": "same-site",
        "reporting_endpoints": 'csp="https://example.com/reports"',
    }
    headers = Trial(SecurityHeaders, options).run().response.headers
    assert headers.get(b"content-security-policy-report-only") == b"default-src 'self'"
    assert headers.get(b"cross-origin-embedder-policy") == b"require-corp"
    assert headers.get(b"cross-origin-resource-policy") == b"same-site"
    assert headers.get(b"reporting-endpoints") == b'csp="https://example.com/reports"'


def test_fields_replace_those_of_the_application_on_request() -> None:
    outcome = Trial(SecurityHeaders, {"replace": True}).run(
        response=answer(headers={"X-Frame-Options": "ALLOWALL"})
    )
    assert outcome.response.headers.get_all(b"x-frame-options") == [b"SAMEORIGIN"]


@pytest.mark.parametrize("value", ["includeSubDomains", "max-age", "x-max-age=1"])
def test_strict_transport_security_without_max_age_is_refused(value: str) -> None:
    with pytest.raises(OptionErrors, match="has no max-age"):
        Trial(SecurityHeaders, {"strict_transport_security": value})


def test_name_to_remove_that_is_no_name_is_refused() -> None:
    with pytest.raises(OptionErrors, match="no field name"):
        Trial(SecurityHeaders, {"remove": ["X\r\nY"]})
