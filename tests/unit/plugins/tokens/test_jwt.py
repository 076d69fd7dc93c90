"""`jwt` in the test kit."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from adc_plugins.tokens.jwt import Jwt

from adc.http.message import Request
from adc.plugin.testkit import OptionErrors, Outcome, Trial, request
from adc.plugin.testkit.services import EPOCH
from tests.kit.tokens import ISSUER, SECRET, jwks, key, secret, token

URL = "https://id.example.com/keys"
OPTIONS: dict[str, Any] = {"jwks_url": URL, "issuer": ISSUER, "audience": "api", "headers": {"X-User": "sub"}}


def asking(text: str = "", *fields: tuple[str, str], target: str = "/") -> Request:
    found = [("Authorization", f"Bearer {text}")] if text else []
    return request("GET", target, [*found, *fields])


def made(*arguments: Any, **options: Any) -> str:
    text: str = token(*arguments, now=EPOCH, **options)
    return text


def trial(**options: Any) -> Trial:
    made = Trial(Jwt, OPTIONS | options)
    made.http.reply(URL, jwks(key()))
    return made


def challenge(outcome: Outcome) -> str:
    return (outcome.response.headers.get(b"www-authenticate") or b"").decode()


def test_valid_token_passes_and_its_claims_reach_the_member() -> None:
    outcome = trial().run(asking(made(), ("X-User", "root"), ("x_user", "root")))
    assert outcome.response.status == 200
    assert [value for name, value in outcome.request.headers if b"ser" in name.lower()] == [b"alice"]
    assert outcome.cache_mark


@pytest.mark.parametrize("fields", [(), (("Authorization", "Basic YTpi"),), (("Authorization", "Bearer"),)])
def test_request_without_a_token_gets_a_challenge_without_an_error(fields: Any) -> None:
    outcome = trial().run(asking("", *fields))
    assert (outcome.response.status, challenge(outcome)) == (401, 'Bearer realm="api"')


def test_refused_token_is_explained_and_not_shown() -> None:
    text = made(exp=1)
    outcome = trial().run(asking(text))
    assert outcome.response.status == 401
    assert (
        challenge(outcome)
        == 'Bearer realm="api", error="invalid_token", error_description="the token has expired"'
    )
    assert text not in str(outcome.messages)


def test_missing_scope_and_wrong_claim_get_403() -> None:
    outcome = trial(scopes=["read", "write"]).run(asking(made(scope="read")))
    assert outcome.response.status == 403
    assert challenge(outcome).endswith('scope="read write"')
    outcome = trial(require={"groups": ["staff"]}).run(asking(made(groups=["guests"])))
    assert (outcome.response.status, "insufficient_scope" in challenge(outcome)) == (403, True)
    assert trial(require={"groups": ["staff"]}).run(asking(made(groups=["staff"]))).response.status == 200


def test_dry_run_refuses_nothing_and_reports() -> None:
    outcome = trial(dry_run=True).run(asking(made(exp=1), ("X-User", "root")))
    assert outcome.response.status == 200
    assert b"x-user" not in outcome.request.headers
    assert outcome.messages[0]["reason"] == "the token has expired"


def test_optional_token_may_be_missing_but_not_wrong() -> None:
    outcome = trial(optional=True).run(asking("", ("X-User", "root")))
    assert (outcome.response.status, b"x-user" in outcome.request.headers) == (200, False)
    assert trial(optional=True).run(asking(made(exp=1))).response.status == 401


def test_token_of_a_cookie_or_the_query_is_accepted_and_leaves_the_query() -> None:
    text = made()
    assert trial(cookie="t").run(asking("", ("Cookie", f"a=1; t={text}"))).response.status == 200
    outcome = trial(query="access_token").run(asking("", target=f"/p?a=1&access_token={text}&b=%20"))
    assert (outcome.response.status, outcome.request.target, outcome.request.query) == (
        200,
        "/p?a=1&b=%20",
        "a=1&b=%20",
    )
    assert trial().run(asking("", target=f"/p?access_token={text}")).response.status == 401


def test_authorization_is_removed_on_request() -> None:
    assert b"authorization" in trial().run(asking(made())).request.headers
    assert b"authorization" not in trial(authorization="remove").run(asking(made())).request.headers


async def test_known_token_is_not_verified_again_until_it_expires() -> None:
    async with trial() as running:
        text = made()
        for _ in range(3):
            assert (await running.exchange(asking(text))).response.status == 200
        assert running.counters["verified"] == 1
        await running.pass_time(331)
        assert (await running.exchange(asking(text))).response.status == 401


async def test_unknown_key_is_fetched_at_once_but_not_again_and_again() -> None:
    async with trial(retry="30s", refresh="1h") as running:
        await running.settle()
        await running.pass_time(31)
        running.http.reply(URL, jwks(key("EC", "new")))
        assert (await running.exchange(asking(made(signed_by=key("EC", "new"))))).response.status == 200
        before = len(running.http.requests)
        for number in range(20):
            text = made(signed_by=key("EC", "other"), header={"kid": f"x{number}"})
            assert (await running.exchange(asking(text))).response.status == 401
        assert len(running.http.requests) == before
        await running.pass_time(31)
        await running.exchange(asking(made(signed_by=key("EC", "other"))))
        assert len(running.http.requests) == before + 1


async def test_token_of_a_key_that_was_withdrawn_is_refused_after_the_refresh() -> None:
    async with trial(refresh="60s") as running:
        text = made()
        assert (await running.exchange(asking(text))).response.status == 200
        running.http.reply(URL, jwks(key("EC", "new")))
        await running.pass_time(61)
        assert (await running.exchange(asking(text))).response.status == 401


async def test_known_keys_are_used_while_the_issuer_is_away_but_not_for_ever() -> None:
    async with trial(keep="1h", refresh="60s") as running:
        await running.settle()
        running.http.down = True
        await running.pass_time(1800)
        assert (await running.exchange(asking(made(exp=EPOCH + 9999)))).response.status == 200
        await running.pass_time(3600)
        outcome = await running.exchange(asking(made(sub="bob", exp=EPOCH + 9999)))
        assert (outcome.response.status, outcome.response.headers.get(b"retry-after")) == (503, b"5")


async def test_requests_at_the_same_time_cause_one_fetch() -> None:
    async with trial() as running:
        outcomes = await asyncio.gather(*(running.exchange(asking(made())) for _ in range(5)))
        assert {outcome.response.status for outcome in outcomes} == {200}
        assert len(running.http.requests) == 1


def test_metadata_of_the_issuer_say_where_keys_are() -> None:
    made_trial = Trial(Jwt, {"issuer": ISSUER, "audience": "api"})
    metadata = f'{{"issuer": "{ISSUER}", "jwks_uri": "{URL}"}}'
    made_trial.http.reply(f"{ISSUER}/.well-known/openid-configuration", metadata)
    made_trial.http.reply(URL, jwks(key()))
    assert made_trial.run(asking(made())).response.status == 200


@pytest.mark.parametrize(("text", "status"), [("abc", 401), (made(), 503)])
def test_malformed_token_is_refused_though_there_are_no_keys(text: str, status: int) -> None:
    away = Trial(Jwt, OPTIONS)
    assert away.run(asking(text)).response.status == status


@pytest.mark.parametrize("metadata", ["{}", '{"issuer": "https://evil.example.com"}', "[]", "x"])
def test_metadata_of_another_issuer_are_not_used(metadata: str) -> None:
    made_trial = Trial(Jwt, {"issuer": ISSUER, "audience": "api"})
    made_trial.http.reply(f"{ISSUER}/.well-known/openid-configuration", metadata)
    assert made_trial.run(asking(made())).response.status == 503


async def test_keys_of_a_file_are_read_again(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(jwks(key()))
    async with Trial(Jwt, {"jwks_file": "keys.json", "audience": "api"}, folder=tmp_path) as running:
        assert (await running.exchange(asking(made()))).response.status == 200
        file.write_text(jwks(key("EC", "new")))
        await running.pass_time(2)
        assert (await running.exchange(asking(made()))).response.status == 401
        assert (await running.exchange(asking(made(signed_by=key("EC", "new"))))).response.status == 200


FORGED = "e30.e30.e30"


@pytest.mark.parametrize(
    "values",
    [
        [f"Bearer {FORGED}", f"Bearer {FORGED}"],
        ["Basic YTpi", f"Bearer {FORGED}"],
        [f"Bearer {FORGED} x"],
        [f"Bearer\t{FORGED}"],
        [f"bearer:{FORGED}"],
        [f", Bearer {FORGED}"],
        [f"Bearer {'a' * 17_000}"],
    ],
)
@pytest.mark.parametrize("cookies", [[], [("Cookie", f"t={made()}")]])
def test_authorization_that_a_member_could_read_as_a_token_is_refused(values: Any, cookies: Any) -> None:
    fields = [("Authorization", value) for value in values]
    outcome = trial(optional=True, cookie="t").run(request("GET", "/", [*fields, *cookies]))
    assert outcome.response.status == 401
    assert 'error="invalid_token"' in challenge(outcome)


def test_other_authorization_passes_where_tokens_are_optional() -> None:
    outcome = trial(optional=True).run(asking("", ("Authorization", "Basic YTpi")))
    assert outcome.response.status == 200


def test_token_in_an_escaped_parameter_is_verified() -> None:
    outcome = trial(optional=True, query="access_token").run(asking(target=f"/?access%5Ftoken={FORGED}"))
    assert outcome.response.status == 401


def test_dry_run_removes_spoofed_fields_beside_a_token_that_is_too_long() -> None:
    long = ("Cookie", f"t={'a' * 17_000}")
    outcome = trial(dry_run=True, cookie="t").run(asking("", long, ("X-User", "root")))
    assert outcome.response.status == 200
    assert b"x-user" not in outcome.request.headers


def test_secret_accepts_hs256_only() -> None:
    options = {"secret": SECRET, "audience": "api"}
    text = made(signed_by=secret(), algorithm="HS256")
    assert Trial(Jwt, options).run(asking(text)).response.status == 200
    assert Trial(Jwt, options).run(asking(made())).response.status == 401


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "nothing says where keys are"),
        ({"jwks_url": URL, "secret": SECRET}, "one place"),
        ({"jwks_url": "file:///etc/passwd"}, "jwks_url"),
        ({"secret": "short"}, "fewer than 32"),
        ({"secret": SECRET, "algorithms": ["RS256"]}, "not allowed with a secret"),
        ({"jwks_url": URL, "algorithms": ["HS256"]}, "not allowed with public keys"),
        ({"jwks_url": URL, "algorithms": ["none"]}, "not allowed"),
        ({"jwks_url": URL, "headers": {"Host": "sub"}}, "headers"),
        ({"jwks_url": URL, "realm": 'a"b'}, "realm"),
        ({"jwks_file": "none"}, "cannot be read"),
    ],
)
def test_wrong_option_is_named(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(OptionErrors, match=reason):
        Trial(Jwt, options)
