"""`adc doctor --live` finds out when members hang up."""

import asyncio
import json
import time
from email.utils import formatdate

import pytest

from adc.cli import probe
from adc.cli.doctor import _look, questions_of
from adc.cli.probe import Question
from adc.config import load
from tests.kit.member import Member, response

CONFIG = """
listeners: [{{bind: 127.0.0.1:8080}}]
routes: [{{pool: app}}]
pools:
  app:
    members: [{address}, 127.0.0.1:1]
    persistence: {{learned: {{cookie: SID, timeout: 30m}}}}
"""


async def test_a_members_real_idle_close_is_measured(tmp_path, monkeypatch):
    measuring, measured = asyncio.Event(), probe._idle_close

    async def idle_close(*arguments):
        measuring.set()
        return await measured(*arguments)

    async def hangs_up(conversation):
        await conversation.request()
        fields = ["Keep-Alive: timeout=60", "Set-Cookie: SID=1; Max-Age=7200; Path=/"]
        await conversation.send(response(b"ok", *fields))
        await measuring.wait()
        await asyncio.sleep(0.06)

    monkeypatch.setattr(probe, "_idle_close", idle_close)
    async with Member(hangs_up) as member:
        file = tmp_path / "adc.yaml"
        file.write_text(CONFIG.format(address=member.address))
        loaded = load(file, {})
        began = time.monotonic()
        rows, seen = await _look(loaded.config, 60.0)
        whole = time.monotonic() - began
    shown = seen["app", member.address]
    assert shown.announced == 60.0
    assert shown.cookie == 7200.0
    assert 0.05 < shown.closed < whole
    assert [bool(row["error"]) for row in rows] == [False, True]
    assert json.dumps(rows)
    assert {problem.path[-1] for problem in loaded.timeouts(seen)} == {"idle", "timeout"}


async def test_members_of_other_protocols_get_no_requests(tmp_path):
    async def fails(conversation):
        raise AssertionError("a member of a tcp pool was asked")

    async with Member(fails) as member:
        file = tmp_path / "adc.yaml"
        text = "listeners: [{bind: ':1', protocol: tcp, pool: db}]\npools: {db: [ADDRESS]}\n"
        file.write_text(text.replace("ADDRESS", member.address))
        assert await _look(load(file, {}).config, 0.1) == ([], {})


def loaded_for(folder, address, more=""):
    file = folder / "adc.yaml"
    file.write_text(CONFIG.format(address=address) + more)
    return load(file, {})


async def seen_of(folder, member, *paths):
    rows, seen = await _look(loaded_for(folder, member.address).config, 0.3, paths)
    assert rows[0]["error"] == ""
    return seen["app", member.address]


def says(*lines, body=b"ok", version=b"1.1", length=True):
    fields = b"".join(line.encode() + b"\r\n" for line in lines)
    counted = b"Content-Length: %d\r\n" % len(body) if length else b""
    return b"HTTP/%b 200 OK\r\n%b%b\r\n%b" % (version, fields, counted, body)


@pytest.mark.parametrize(
    "reply",
    [
        says("Connection: close"),
        says("Connection: Close, x", length=False),
        says("Connection: close", "Keep-Alive: timeout=60"),
        says(version=b"1.0"),
        says(version=b"1.0", length=False),
    ],
    ids=["close", "until the end", "both", "1.0", "1.0 until the end"],
)
async def test_a_member_that_sends_close_raises_no_alarm(tmp_path, reply):
    async def closes(conversation):
        await conversation.request()
        await conversation.send(reply)

    async with Member(closes) as member:
        seen = await seen_of(tmp_path, member)
        assert (seen.announced, seen.closed) == (0.0, None)
        config = loaded_for(tmp_path, member.address)
        assert (
            config.timeouts({("app", member.address): seen}) == loaded_for(tmp_path, "127.0.0.1:2").timeouts()
        )


DAY = 86400


def in_a_day(cookie):
    """Return `cookie` with the date of tomorrow in place of TOMORROW, and of DASHED in the form of old servers."""
    date = formatdate(time.time() + DAY, usegmt=True)
    return cookie.replace("TOMORROW", date).replace("DASHED", f"{date[:7]}-{date[8:11]}-{date[12:]}")


@pytest.mark.parametrize(
    ("cookie", "lives"),
    [
        ("SID=1; Expires=TOMORROW; Path=/", DAY),
        ("SID=1; expires=DASHED", DAY),
        ("SID=1; Expires=TOMORROW; Max-Age=7200", 7200),
        ("SID=1; Max-Age=nonsense; Expires=TOMORROW", DAY),
        ("SID=1; Path=/; HttpOnly", None),
        ("SID=1; Expires=tomorrow", None),
        ("SIDX=1; Expires=TOMORROW", None),
    ],
)
async def test_a_session_lives_as_long_as_its_cookie_says(tmp_path, cookie, lives):
    async def sets(conversation):
        while await conversation.request():
            await conversation.send(says(f"Set-Cookie: {in_a_day(cookie)}"))

    async with Member(sets) as member:
        seen = await seen_of(tmp_path, member)
    assert seen.cookie == (None if lives is None else pytest.approx(lives, abs=60))


async def test_the_path_that_sets_the_cookie_is_found(tmp_path):
    async def sets_at_login(conversation):
        while request := await conversation.request():
            login = request.target == "/login"
            await conversation.send(says(*["Set-Cookie: SID=1; Max-Age=7200"] * login))

    async with Member(sets_at_login) as member:
        assert (await seen_of(tmp_path, member)).cookie is None
        assert (await seen_of(tmp_path, member, "/login")).cookie == 7200.0


def test_paths_of_the_check_of_the_operator_and_of_the_routes_are_asked_for(tmp_path):
    file = tmp_path / "adc.yaml"
    file.write_text("""
listeners: [{bind: 127.0.0.1:8080}]
routes:
  - {match: {host: shop.example.com, path: /shop/}, pool: app}
  - {match: {path: /other/}, pool: other}
  - {match: {path: {regex: "^/x"}}, pool: app}
  - {match: {path: [/in, "/"]}, split: {app: 1, other: 1}}
pools:
  app: {members: [127.0.0.1:9001], health: {active: {path: /healthz, host: check.example.com}}}
  other: {members: [127.0.0.1:9002]}
""")
    config = load(file, {}).config
    host = "check.example.com"
    assert questions_of(config, "app", config.pools["app"].members[0], ["/login"]) == [
        Question("/healthz", host),
        Question("/login", host),
        Question("/", host),
        Question("/shop/", "shop.example.com"),
        Question("/in", host),
    ]
