"""Passes and sessions in several workers of a node."""

import itertools
import re

from adc_plugins.bot_challenge.proof import leading_zeros

from tests.kit.client import Client, get

CONFIG = """
workers: 4
state: {path: "@folder"}
listeners: [{name: web, bind: "@web"}]
routes: [{name: all, respond: {status: 200, body: "ok"}, plugins: [bot_challenge: {difficulty: 6}]}]
admin: {bind: "@admin"}
"""


async def asked(port, *fields):
    client = await Client.connect(port)
    try:
        return await client.ask(get("/", "Accept: text/html", *fields))
    finally:
        client.close()


async def test_pass_is_valid_in_each_worker_and_a_solution_in_one(service):
    service.write(CONFIG.replace("@folder", str(service.folder / "state")))
    await service.started()
    page = await asked(service.port)
    challenge = re.search(rb'data-challenge="([^"]+)"', page.body)[1].decode()
    texts = (f"{challenge}.{number}" for number in itertools.count())
    solution = next(text for text in texts if leading_zeros(text) >= 6)
    redeemed = [await asked(service.port, f"Bot-Challenge-Solution: {solution}") for _ in range(12)]
    assert [reply.status for reply in redeemed] == [204, *[403] * 11]
    cookie = redeemed[0][b"set-cookie"].partition(b";")[0].decode()
    replies = [await asked(service.port, f"Cookie: {cookie}") for _ in range(12)]
    assert {reply.status for reply in replies} == {200}
