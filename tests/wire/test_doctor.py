"""`adc doctor --live` finds out when members hang up."""

import asyncio
import json

from adc.cli.doctor import _look
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


async def hangs_up(conversation):
    await conversation.request()
    fields = ["Keep-Alive: timeout=60", "Set-Cookie: SID=1; Max-Age=7200; Path=/"]
    await conversation.send(response(b"ok", *fields))
    await asyncio.sleep(0.1)


async def test_a_members_real_idle_close_is_measured(tmp_path):
    async with Member(hangs_up) as member:
        file = tmp_path / "adc.yaml"
        file.write_text(CONFIG.format(address=member.address))
        loaded = load(file, {})
        rows, seen = await _look(loaded.config, 2.0)
    shown = seen["app", member.address]
    assert shown.announced == 60.0
    assert shown.cookie == 7200.0
    assert 0.05 < shown.closed < 1.0
    assert [bool(row["error"]) for row in rows] == [False, True]
    assert json.dumps(rows)
    assert {problem.path[-1] for problem in loaded.timeouts(seen)} == {"idle", "timeout"}
