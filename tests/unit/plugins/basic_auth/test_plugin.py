"""Basic authentication in the test kit."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from adc_plugins.basic_auth.plugin import BasicAuth

from adc.http.message import Request
from adc.plugin.testkit import OptionErrors, Trial, request

HASH = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
OTHER = bcrypt.hashpw(b"other", bcrypt.gensalt(4)).decode()
USERS = {"users": {"alice": HASH}}


def asking(
    name: str = "alice", password: str = "secret", *fields: tuple[str, str], client: str = "192.0.2.1"
) -> Request:
    token = base64.b64encode(f"{name}:{password}".encode()).decode()
    return request(headers=[("Authorization", f"Basic {token}"), *fields], client=client)


def trial(**options: Any) -> Trial:
    return Trial(BasicAuth, USERS | options)


def test_right_password_passes_with_the_user_and_without_the_password() -> None:
    outcome = trial().run(asking())
    headers = outcome.request.headers
    assert outcome.response.status == 200
    assert headers.get(b"x-forwarded-user") == b"alice"
    assert b"authorization" not in headers
    assert outcome.cache_mark


@pytest.mark.parametrize("head", [request(), asking(password="Secret"), asking("bob"), asking("bob", "")])
def test_others_get_401_with_a_challenge(head: Request) -> None:
    outcome = trial(realm="Staff").run(head)
    assert outcome.response.status == 401
    assert outcome.response.headers.get(b"www-authenticate") == b'Basic realm="Staff", charset="UTF-8"'


def test_two_authorization_fields_are_refused() -> None:
    head = asking("alice", "secret", ("Authorization", "Basic YWxpY2U6c2VjcmV0"))
    assert trial().run(head).response.status == 401


@pytest.mark.parametrize("spelling", ["X-Forwarded-User", "X_Forwarded_User", "x-forwarded-user"])
def test_user_field_of_a_client_is_removed(spelling: str) -> None:
    headers = trial().run(asking("alice", "secret", (spelling, "root"))).request.headers
    assert [value for name, value in headers if b"ser" in name.lower()] == [b"alice"]


def test_authorization_is_kept_on_request() -> None:
    headers = trial(authorization="keep", user_header="").run(asking()).request.headers
    assert b"authorization" in headers
    assert b"x-forwarded-user" not in headers


async def test_password_is_hashed_once_while_it_is_remembered() -> None:
    async with trial(cache="60s") as running:
        for _ in range(3):
            assert (await running.exchange(asking())).response.status == 200
        assert running.counters["verified"] == 1
        await running.pass_time(61)
        await running.exchange(asking())
        assert running.counters["verified"] == 2


async def test_equal_requests_at_the_same_time_are_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = []
    checked = bcrypt.checkpw

    def counting(password: bytes, text: bytes) -> bool:
        hashed.append(password)
        return checked(password, text)

    monkeypatch.setattr(bcrypt, "checkpw", counting)
    async with trial() as running:
        outcomes = await asyncio.gather(*(running.exchange(asking()) for _ in range(5)))
    assert {outcome.response.status for outcome in outcomes} == {200}
    assert len(hashed) == 1


async def test_unknown_user_costs_a_hash_too() -> None:
    async with trial() as running:
        await running.exchange(asking("bob"))
        assert running.counters["verified"] == 1


async def test_wrong_password_is_logged_without_it_and_without_unknown_names() -> None:
    async with trial() as running:
        logged = [(await running.exchange(asking(name, "pa55"))).messages for name in ("alice", "hunter2")]
    assert logged[0][0]["user"] == "alice"
    assert "pa55" not in str(logged)
    assert "hunter2" not in str(logged)


async def test_client_over_the_limit_gets_429_even_with_the_right_password() -> None:
    async with trial(limit={"most": 2, "window": "60s"}) as running:
        for _ in range(2):
            assert (await running.exchange(asking(password="x"))).response.status == 401
        outcome = await running.exchange(asking())
        assert (outcome.response.status, outcome.response.headers.get(b"retry-after")) == (429, b"60")
        assert (await running.exchange(asking(client="192.0.2.2"))).response.status == 200
        await running.pass_time(60)
        assert (await running.exchange(asking())).response.status == 200


async def test_limit_spares_clients_whose_password_was_right_before() -> None:
    async with trial(limit={"most": 1}) as running:
        for head in (asking(), asking(password="x"), asking(password="x")):
            await running.exchange(head)
        assert (await running.exchange(asking())).response.status == 200


async def test_attempt_that_was_not_verified_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    async with trial(limit={"most": 1}) as running:
        monkeypatch.setattr("adc_plugins.basic_auth.verifier.WAITING", 0)
        assert (await running.exchange(asking())).response.status == 503
        monkeypatch.undo()
        assert (await running.exchange(asking())).response.status == 200


async def test_addresses_of_one_ipv6_network_count_together() -> None:
    async with trial(limit={"most": 1}) as running:
        await running.exchange(asking(password="x", client="2001:db8::1"))
        outcome = await running.exchange(asking(password="x", client="2001:db8::2"))
        assert outcome.response.status == 429


async def test_file_is_read_again_and_removed_users_are_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text(f"# staff\n\nalice:{HASH}\nbob:{OTHER}:comment\n")
    async with Trial(BasicAuth, {"file": "users"}, folder=tmp_path) as running:
        assert (await running.exchange(asking())).response.status == 200
        file.write_text(f"bob:{OTHER}\n")
        await running.pass_time(2)
        assert (await running.exchange(asking())).response.status == 401
        assert (await running.exchange(asking("bob", "other"))).response.status == 200
        file.write_text("broken\n")
        await running.pass_time(2)
        assert (await running.exchange(asking("bob", "other"))).response.status == 200
        assert "line 1 has no colon" in str(running.messages[-1])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "there are no users"),
        ({"users": {"alice": "secret"}}, "plain text"),
        ({"users": {"alice": HASH}, "limit": {"most": 0}}, "limit.most: 0 is out of range"),
        ({"users": {"a:b": HASH}}, "no user name"),
        ({"users": {"a\nb": HASH}}, "no user name"),
        ({"file": "none"}, "cannot be read"),
        (USERS | {"realm": "a\r\nb"}, "realm"),
        (USERS | {"user_header": "Host"}, "user_header"),
        (USERS | {"authorization": "drop"}, "authorization"),
    ],
)
def test_wrong_option_is_named_without_a_hash(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(OptionErrors, match=reason) as raised:
        Trial(BasicAuth, options)
    assert HASH not in str(raised.value)


def test_user_in_both_places_is_refused(tmp_path: Path) -> None:
    (tmp_path / "users").write_text(f"alice:{HASH}\n")
    with pytest.raises(OptionErrors, match=r"users\.alice: is in the file too"):
        Trial(BasicAuth, USERS | {"file": "users"}, folder=tmp_path)
