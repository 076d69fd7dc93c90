"""`forward_auth` in the test kit."""

from __future__ import annotations

from typing import Any

import pytest
from adc_plugins.forward_auth.plugin import ForwardAuth

from adc.http.message import Request
from adc.plugin.testkit import OptionErrors, Trial, answer, request

URL = "http://127.0.0.1:9000/verify"


def trial(status: int = 200, headers: Any = (), content: str = "", **options: Any) -> Trial:
    made = Trial(ForwardAuth, {"url": URL} | options)
    made.http.reply(URL, content, status, headers)
    return made


def asking(
    *fields: tuple[str, str], target: str = "/p?a=1", method: str = "GET", client: str = "192.0.2.1"
) -> Request:
    return request(method, target, fields, client=client)


def test_service_learns_what_the_client_asks_for_and_no_lies() -> None:
    made = trial()
    lies = (("X-Forwarded-Uri", "/public"), ("X_Forwarded_Method", "GET"), ("X-Forwarded-For", "10.0.0.1"))
    assert made.run(asking(("Cookie", "s=1"), *lies, method="POST")).response.status == 200
    (sent,) = made.http.requests
    assert (sent.method, sent.url, sent.body) == ("GET", URL, b"")
    assert dict(sent.headers.pairs) == {
        b"Cookie": b"s=1",
        b"X-Forwarded-Method": b"POST",
        b"X-Forwarded-Proto": b"http",
        b"X-Forwarded-Host": b"www.example.com",
        b"X-Forwarded-Uri": b"/p?a=1",
        b"X-Forwarded-For": b"192.0.2.1",
    }


def test_fields_about_content_and_conditions_are_not_sent() -> None:
    made = trial()
    made.run(
        asking(("If-None-Match", '"a"'), ("Range", "bytes=0-1"), ("Content-Type", "a/b"), ("Accept", "x/y"))
    )
    assert made.http.requests[0].headers.get(b"accept") == b"x/y"
    assert not {b"if-none-match", b"range", b"content-type"} & {
        name.lower() for name, _ in made.http.requests[0].headers
    }


def test_only_named_fields_are_sent() -> None:
    made = trial(request_headers=["cookie"])
    made.run(asking(("Cookie", "s=1"), ("Authorization", "x")))
    names = {name for name, _ in made.http.requests[0].headers if not name.startswith(b"X-Forwarded")}
    assert names == {b"Cookie"}


def test_named_fields_of_the_reply_reach_member_and_client() -> None:
    headers = [("X-User", "alice"), ("X-Other", "1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    made = trial(204, headers, copy=["X-User"], copy_to_client=["Set-Cookie"])
    outcome = made.run(asking(("X-User", "root"), ("x_user", "root")))
    assert [value for name, value in outcome.request.headers if b"ser" in name] == [b"alice"]
    assert outcome.response.headers.get_all(b"set-cookie") == [b"a=1", b"b=2"]
    assert b"x-other" not in outcome.request.headers
    assert outcome.cache_mark


def test_spoofed_field_is_removed_if_the_service_says_nothing() -> None:
    assert b"x-user" not in trial(copy=["X-User"]).run(asking(("X-User", "root"))).request.headers


def test_refusal_reaches_the_client_with_its_fields_and_content() -> None:
    headers = [
        ("Location", "https://login.example.com/"),
        ("Set-Cookie", "s=1"),
        ("Connection", "close"),
        ("Content-Length", "3"),
    ]
    outcome = trial(302, headers, "go").run(asking())
    assert (outcome.response.status, outcome.body) == (302, b"go")
    assert outcome.response.headers.pairs == [
        (b"Location", b"https://login.example.com/"),
        (b"Set-Cookie", b"s=1"),
    ]


@pytest.mark.parametrize("status", [301, 304, 400, 401, 403, 404, 429, 500, 503])
def test_any_other_status_is_sent_to_the_client(status: int) -> None:
    assert trial(status).run(asking()).response.status == status


@pytest.mark.parametrize(("policy", "status"), [("refuse", 503), ("pass", 200)])
def test_failure_of_the_service_follows_the_policy(policy: str, status: int) -> None:
    made = trial(on_failure=policy, copy=["X-User"])
    made.http.down = True
    outcome = made.run(asking(("X-User", "root")))
    assert outcome.response.status == status
    assert b"x-user" not in outcome.request.headers
    assert outcome.messages


def test_dry_run_refuses_nothing_and_reports() -> None:
    outcome = trial(401, dry_run=True, copy=["X-User"]).run(asking(("X-User", "root")))
    assert (outcome.response.status, outcome.messages[0]["status"]) == (200, 401)
    assert b"x-user" not in outcome.request.headers


async def test_reply_is_reused_for_the_same_request_only() -> None:
    by = ["Authorization", "Cookie"]
    async with trial(headers=[("X-User", "alice")], cache="10s", cache_by=by, copy=["X-User"]) as running:
        alike = asking(("Cookie", "s=1"), ("X-Unnamed", "1")), asking(("Cookie", "s=1"), ("X-Unnamed", "2"))
        for head in alike:
            assert (await running.exchange(head)).request.headers.get(b"x-user") == b"alice"
        assert len(running.http.requests) == 1
        others = [
            asking(("Cookie", "s=2")),
            asking(("Cookie", "s=1"), ("Cookie", "t=1")),
            asking(("Cookie", "s=1"), target="/q"),
            asking(("Cookie", "s=1"), method="POST"),
            asking(("Cookie", "s=1"), client="192.0.2.2"),
        ]
        for number, head in enumerate(others, 2):
            await running.exchange(head)
            assert len(running.http.requests) == number
        await running.pass_time(11)
        await running.exchange(asking(("Cookie", "s=1"), ("X-Unnamed", "1")))
        assert len(running.http.requests) == len(others) + 2


@pytest.mark.parametrize("options", [{}, {"request_headers": ["X-Api-Key"]}])
async def test_reply_is_not_reused_without_a_field_that_the_service_had(options: Any) -> None:
    async with trial(cache="10s", **options) as running:
        for fields in ([("X-Api-Key", "right")], [("x-api-key", "right")], [], [("X-Api-Key", "wrong")]):
            await running.exchange(asking(*fields))
        assert len(running.http.requests) == 3


async def test_refusal_is_not_reused() -> None:
    async with trial(401, cache="10s") as running:
        await running.exchange(asking())
        await running.exchange(asking())
        assert len(running.http.requests) == 2


async def test_response_without_a_reply_of_its_own_gets_no_field_of_another() -> None:
    async with trial(headers=[("Set-Cookie", "a=1")], cache="10s", copy_to_client="Set-Cookie") as running:
        assert b"set-cookie" in (await running.exchange(asking(), answer())).response.headers
        assert b"set-cookie" not in (await running.exchange(asking(), answer())).response.headers


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"url": "ftp://a/"}, "url"),
        ({"url": "http://u:p@a/"}, "url"),
        ({"copy": ["Host"]}, "copy"),
        ({"copy_to_client": ["Content-Length"]}, "copy_to_client"),
        ({"on_failure": "open"}, "on_failure: 'open' is not allowed; use 'refuse' or 'pass'"),
        ({"request_headers": ["a b"]}, "request_headers: 'a b' is no name"),
        ({"cache_by": [""]}, "cache_by: '' is no name"),
    ],
)
def test_wrong_option_is_named(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(OptionErrors, match=reason):
        Trial(ForwardAuth, {"url": URL} | options)
