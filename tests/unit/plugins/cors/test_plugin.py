"""CORS in the test kit."""

from __future__ import annotations

from typing import Any

import pytest
from adc_plugins.cors.plugin import Cors

from adc.http.headers import Headers
from adc.plugin.testkit import OptionErrors, Outcome, Trial, answer, request

APP = "https://app.example.com"


def fields(headers: Headers) -> dict[str, str]:
    """The fields of CORS, by the rest of their name."""
    prefix = "access-control-"
    found = {name.decode().lower(): value.decode() for name, value in headers}
    return {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}


def got(origin: str | None, *, of_member: dict[str, str] | None = None, **options: Any) -> Outcome:
    headers = {} if origin is None else {"Origin": origin}
    return Trial(Cors, {"origins": [APP]} | options).run(
        request(headers=headers), answer(headers=of_member or {})
    )


def preflight(origin: str = APP, method: str = "PUT", *more: tuple[str, str], **options: Any) -> Outcome:
    asked = [("Origin", origin), ("Access-Control-Request-Method", method), *more]
    return Trial(Cors, {"origins": [APP]} | options).run(request("OPTIONS", headers=asked))


def test_allowed_origin_is_named_and_caches_are_told() -> None:
    headers = got(APP).response.headers
    assert fields(headers) == {"allow-origin": APP}
    assert headers.get(b"vary") == b"Origin"


@pytest.mark.parametrize(
    "origin", [None, "https://evil.test", "null", f"{APP}, https://evil.test", f"{APP}\x7f"]
)
def test_other_requests_get_no_field_and_still_vary(origin: str | None) -> None:
    headers = got(origin, of_member={"Access-Control-Allow-Origin": "*"}).response.headers
    assert fields(headers) == {}
    assert headers.get(b"vary") == b"Origin"


def test_fields_of_the_member_are_replaced() -> None:
    of_member = {
        "Access-Control-Allow-Origin": "https://evil.test",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "X-Secret",
    }
    assert fields(got(APP, of_member=of_member).response.headers) == {"allow-origin": APP}


def test_credentials_and_exposed_fields() -> None:
    headers = got(APP, credentials=True, expose=["X-Total"]).response.headers
    assert fields(headers) == {"allow-origin": APP, "allow-credentials": "true", "expose-headers": "X-Total"}


@pytest.mark.parametrize(
    ("vary", "expected"),
    [("Accept", [b"Accept", b"Origin"]), ("Accept, origin", [b"Accept, origin"]), ("*", [b"*"])],
)
def test_vary_names_origin_once(vary: str, expected: list[bytes]) -> None:
    assert got(APP, of_member={"Vary": vary}).response.headers.get_all(b"vary") == expected


def test_any_origin_needs_no_vary() -> None:
    headers = got("https://any.test", origins="*").response.headers
    assert fields(headers) == {"allow-origin": "*"}
    assert b"vary" not in headers


def test_preflight_is_answered_here() -> None:
    outcome = preflight(APP, "PUT", ("Access-Control-Request-Headers", "x-a, content-type"), credentials=True)
    assert (outcome.stopped, outcome.response.status) == (True, 204)
    assert fields(outcome.response.headers) == {
        "allow-origin": APP,
        "allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
        "allow-headers": "x-a, content-type",
        "allow-credentials": "true",
        "max-age": "600",
    }
    assert b"Origin" in (outcome.response.headers.get(b"vary") or b"")


@pytest.mark.parametrize(
    ("origin", "method"), [("https://evil.test", "PUT"), (APP, "TRACE"), ("null", "GET")]
)
def test_preflight_of_another_origin_or_method_is_refused_without_fields(origin: str, method: str) -> None:
    outcome = preflight(origin, method)
    assert outcome.response.status == 403
    assert fields(outcome.response.headers) == {}


def test_requested_fields_that_are_no_tokens_are_not_reflected() -> None:
    outcome = preflight(APP, "GET", ("Access-Control-Request-Headers", 'x-a"; <b>'))
    assert "allow-headers" not in fields(outcome.response.headers)


def test_listed_fields_are_allowed_whatever_is_asked_for() -> None:
    outcome = preflight(APP, "GET", ("Access-Control-Request-Headers", "x-other"), headers=["X-Name"])
    assert fields(outcome.response.headers)["allow-headers"] == "X-Name"


@pytest.mark.parametrize("allowed", [False, True])
def test_private_network_is_allowed_only_if_the_option_says_so(allowed: bool) -> None:
    outcome = preflight(
        APP, "GET", ("Access-Control-Request-Private-Network", "true"), private_network=allowed
    )
    assert ("allow-private-network" in fields(outcome.response.headers)) is allowed


@pytest.mark.parametrize("headers", [{"Origin": APP}, {"Access-Control-Request-Method": "GET"}])
def test_options_that_is_no_preflight_reaches_the_member(headers: dict[str, str]) -> None:
    assert not Trial(Cors, {"origins": [APP]}).run(request("OPTIONS", headers=headers)).stopped


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"origins": []}, "origins"),
        ({"origins": ["example.com"]}, "is no origin"),
        ({"origins": [{"regex": "("}]}, "origins"),
        ({"origins": [{"regex": "https://a)|(?:b"}]}, "origins"),
        (
            {"origins": [{"regexp": "x"}]},
            r"^origins\.0\.regex: the option regex is required; origins\.0\.regexp: unknown",
        ),
        ({"origins": ["*"], "credentials": True}, "any site could act"),
        ({"methods": ["GET, PUT"]}, "methods"),
        ({"headers": ["X\r\nY"]}, "headers"),
        ({"max_age": 600}, "duration"),
    ],
)
def test_wrong_option_is_named(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(OptionErrors, match=reason):
        Trial(Cors, {"origins": [APP]} | options)
