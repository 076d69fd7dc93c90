"""The firewall beside a plugin that changes content: it inspects what comes coded, before and after that plugin."""

import gzip

import pytest

from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.wire.plugins.plugged_transforms import transform_folder
from tests.wire.plugins.waf.protected import protecting, rule_file

PAGE = ("Content-Type: text/html", "Content-Encoding: gzip", 'ETag: "1"')


async def reply_of(folder, content, before, upper):
    transform_folder(folder)
    waf = {"waf": {"rules": [rule_file(folder)]}}
    plugins = [waf, {"upper": upper}] if before else [{"upper": upper}, waf]
    route = {"plugins": plugins, "compression": {}}
    top = {"plugin_paths": [str(folder / "plugins")]}
    async with (
        Member(answering(response(gzip.compress(content), *PAGE))) as member,
        protecting(folder, member, route=route, top=top) as protected,
    ):
        return await protected.ask(get("/", "Accept-Encoding: gzip"))


@pytest.mark.parametrize("upper", [{}, {"whole": True}, {"skip": "response"}])
@pytest.mark.parametrize("before", [False, True], ids=["nearer to the member", "nearer to the client"])
async def test_coded_response_is_inspected(tmp_path, before, upper):
    assert (await reply_of(tmp_path, b"an ora-00933 error", before, upper)).status == 403
    passed = await reply_of(tmp_path, b"hello " * 1000, before, upper)
    assert passed.status == 200
    hello = b"hello " if upper.get("skip") else b"HELLO "
    assert gzip.decompress(passed.body) == hello * 1000
