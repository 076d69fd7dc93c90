"""A reload that changes the settings of a log."""

import os

from tests.kit.client import get
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually


async def test_new_access_log_loses_no_line_of_the_old_one_and_closes_it(tmp_path, member):
    before, after = tmp_path / "before.log", tmp_path / "after.log"
    log = {"path": str(before), "format": "{path}"}
    async with serving(tmp_path, config(member.address, access_log=log)) as proxy, proxy.client() as client:
        await client.ask(get("/one"))
        await eventually(lambda: proxy.worker.logs.access_log._lines or before.read_text())
        await proxy.change(lambda written: written["access_log"].update(path=str(after)))
        await client.ask(get("/two"))
        await eventually(after.read_text)
        assert before.read_text() == "/one\n"
        assert after.read_text() == "/two\n"
        assert str(before) not in opened()


def opened():
    """Return the paths of the files that this process has open."""
    paths = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            paths.add(os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:  # that of the listing itself
            pass
    return paths
