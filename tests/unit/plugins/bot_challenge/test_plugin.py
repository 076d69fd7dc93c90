"""`bot_challenge` in the test kit."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from adc_plugins.bot_challenge import plugin as module
from adc_plugins.bot_challenge.plugin import BotChallenge
from adc_plugins.bot_challenge.proof import leading_zeros

from adc.http.message import Request
from adc.plugin.testkit import OptionErrors, Outcome, Trial, request

HTML = ("Accept", "text/html,*/*")
AGENT = ("User-Agent", "Browser/1")
EASY = {"difficulty": 6}
CHALLENGE = re.compile(rb'data-challenge="([^"]+)" data-difficulty="6"')


def asking(
    *fields: tuple[str, str], target: str = "/", client: str = "192.0.2.1", agent: tuple[str, str] = AGENT
) -> Request:
    return request("GET", target, [HTML, agent, *fields], client=client)


def solution_of(outcome: Outcome) -> str:
    found = CHALLENGE.search(outcome.body)
    assert found
    text = found[1].decode()
    return next(each for number in itertools.count() if leading_zeros(each := f"{text}.{number}") >= 6)


async def pass_of(trial: Trial, **options: Any) -> tuple[str, str]:
    """The cookie that a client gets for a solution."""
    solution = solution_of(await trial.exchange(asking(**options)))
    redeemed = await trial.exchange(asking(("Bot-Challenge-Solution", solution), **options))
    assert redeemed.response.status == 204
    line = (redeemed.response.headers.get(b"set-cookie") or b"").decode()
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in line.split(";")}
    return "Cookie", line.partition(";")[0]


async def test_client_without_a_pass_gets_a_page_that_no_cache_keeps() -> None:
    async with Trial(BotChallenge, EASY) as trial:
        outcome = await trial.exchange(asking())
        headers = outcome.response.headers
        assert (outcome.stopped, outcome.response.status) == (True, 403)
        assert headers.get(b"cache-control") == b"no-store"
        nonce = re.search(rb"script-src 'nonce-([^']+)'", headers.get(b"content-security-policy") or b"")
        assert nonce
        assert b'<script nonce="' + nonce[1] + b'"' in outcome.body
        assert b"<noscript>" in outcome.body
        assert b"@" not in outcome.body.replace(b"@media", b"")


async def test_solution_earns_a_pass_for_that_client_until_it_ends() -> None:
    async with Trial(BotChallenge, {**EASY, "lifetime": "1h"}) as trial:
        cookie = await pass_of(trial)
        assert not (await trial.exchange(asking(cookie))).stopped
        assert (await trial.exchange(asking(cookie, client="192.0.2.2"))).stopped
        assert (await trial.exchange(asking(cookie, agent=("User-Agent", "Other/1")))).stopped
        await trial.pass_time(3601)
        assert (await trial.exchange(asking(cookie))).stopped


async def test_addresses_of_one_ipv6_network_share_a_pass() -> None:
    async with Trial(BotChallenge, EASY) as trial:
        cookie = await pass_of(trial, client="2001:db8::1")
        assert not (await trial.exchange(asking(cookie, client="2001:db8::2"))).stopped


async def test_challenge_earns_one_pass() -> None:
    async with Trial(BotChallenge, EASY) as trial:
        solution = solution_of(await trial.exchange(asking()))
        statuses = [
            (await trial.exchange(asking(("Bot-Challenge-Solution", solution)))).response.status
            for _ in range(2)
        ]
        assert statuses == [204, 403]
        assert trial.counters["failed"] == 1


@pytest.mark.parametrize(
    "solution", ["", "x", "1.6.AAAAAAAAAAAAAAAA." + "A" * 43 + ".5", "\xff" * 50, "1" * 5000]
)
async def test_wrong_solution_is_refused_and_reaches_no_member(solution: str) -> None:
    async with Trial(BotChallenge, EASY) as trial:
        outcome = await trial.exchange(asking(("Bot-Challenge-Solution", solution)))
        assert (outcome.stopped, outcome.response.status) == (True, 403)


async def test_pass_outlives_a_reload() -> None:
    trial = Trial(BotChallenge, EASY)
    async with trial:
        cookie = await pass_of(trial)
    async with trial:
        assert not (await trial.exchange(asking(cookie))).stopped


@pytest.mark.parametrize(
    ("head", "stopped"),
    [
        (asking(target="/robots.txt"), False),
        (asking(target="/.well-known/acme"), False),
        (asking(target="/.well-knownx"), True),
        (asking(client="10.1.2.3"), False),
        (asking(client="66.249.64.9", agent=("User-Agent", "x GoogleBot/2.1")), False),
        (asking(client="66.249.64.9"), True),
        (asking(agent=("User-Agent", "Googlebot")), True),
    ],
)
async def test_exempt_paths_sources_and_verified_crawlers_are_not_challenged(
    head: Request, stopped: bool
) -> None:
    options = {"allow": ["10.0.0.0/8"], "crawlers": [{"agent": "Googlebot", "sources": ["66.249.64.0/19"]}]}
    async with Trial(BotChallenge, options) as trial:
        assert (await trial.exchange(head)).stopped is stopped


@pytest.mark.parametrize(("api", "stopped"), [("refuse", True), ("pass", False)])
async def test_request_that_accepts_no_html_gets_no_page(api: str, stopped: bool) -> None:
    async with Trial(BotChallenge, {"api": api}) as trial:
        outcome = await trial.exchange(request(headers={"Accept": "application/json"}))
        assert outcome.stopped is stopped
        assert b"data-challenge" not in outcome.body


@pytest.mark.parametrize(("accept", "counter"), [("text/html", "challenged"), ("a/b", "refused")])
async def test_dry_run_counts_and_lets_pass(accept: str, counter: str) -> None:
    async with Trial(BotChallenge, {"dry_run": True}) as trial:
        assert not (await trial.exchange(request(headers={"Accept": accept}))).stopped
        assert trial.counters[counter] == 1


def test_wrong_option_is_named() -> None:
    for options, reason in (
        ({"difficulty": 40}, "difficulty"),
        ({"exempt_paths": ["x"]}, "exempt_paths"),
        ({"crawlers": [{"agent": "Googlebot"}]}, "sources"),
    ):
        with pytest.raises(OptionErrors, match=reason):
            Trial(BotChallenge, options)


NODE = shutil.which("node")
SCRIPT = Path(str(module.__file__)).with_name("solve.js")
RUN = """
const solver = require(process.argv[1]);
const hex = (text) => solver.digest(text).map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
const texts = JSON.parse(process.argv[2]);
solver.solve("challenge", 10, () => {}, (solution) => {
  console.log(JSON.stringify([texts.map(hex), solution]));
});
"""


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_script_computes_sha_256_and_finds_a_solution() -> None:
    texts = ["a" * length for length in (0, 1, 54, 55, 56, 63, 64, 65, 119, 120, 200)]
    run = subprocess.run(
        [NODE or "", "-e", RUN, SCRIPT, json.dumps(texts)], capture_output=True, text=True, check=True
    )
    digests, solution = json.loads(run.stdout)
    assert digests == [sha256(text.encode()).hexdigest() for text in texts]
    assert leading_zeros(solution) >= 10
