"""The challenge over sockets, solved by a test and by a browser."""

import itertools
import os
import re
import shutil

import pytest
from adc_plugins.bot_challenge.proof import leading_zeros

from tests.kit.browser import Browser
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving

CHROMIUM = shutil.which("chromium")


async def test_solver_reaches_the_member(tmp_path):
    async with Member() as member:
        mapping = config(member.address, route={"plugins": [{"bot_challenge": {"difficulty": 8}}]})
        async with serving(tmp_path, mapping) as proxy:
            browser = Browser(proxy.port)
            page = await browser.get("/p")
            assert (page.status, len(member.requests)) == (403, 0)
            challenge = re.search(rb'data-challenge="([^"]+)"', page.body)[1].decode()
            texts = (f"{challenge}.{number}" for number in itertools.count())
            solution = next(text for text in texts if leading_zeros(text) >= 8)
            assert (await browser.get("/p", f"Bot-Challenge-Solution: {solution}")).status == 204
            assert (await browser.get("/p")).status == 200


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
async def test_browser_solves_the_challenge_by_itself(tmp_path):
    from playwright.async_api import async_playwright

    site = answering(response(b"<h1 id=site>The site</h1>", "Content-Type: text/html"))
    async with Member(site) as member:
        mapping = config(member.address, route={"plugins": [{"bot_challenge": {"difficulty": 12}}]})
        async with serving(tmp_path, mapping) as proxy, async_playwright() as playwright:
            arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
            try:
                page = await browser.new_page()
                problems = []
                page.on("pageerror", lambda problem: problems.append(str(problem)))
                await page.goto(f"http://127.0.0.1:{proxy.port}/p?a=1#part")
                await page.wait_for_selector("#site", timeout=60_000)
                assert not problems
                assert page.url.endswith("/p?a=1#part")
            finally:
                await browser.close()
