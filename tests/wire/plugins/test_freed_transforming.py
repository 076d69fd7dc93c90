"""What changed content went through is freed at the end by reference counting alone."""

import gzip

import pytest

from tests.kit.client import get
from tests.kit.member import response
from tests.kit.survivors import nothing_survives
from tests.kit.waiting import eventually
from tests.wire.cached import caching
from tests.wire.plugins.plugged_transforms import transform_folder
from tests.wire.test_freed_fetches import ask, forget

PNG = "Content-Type: image/png"
CODED = response(gzip.compress(b"abc" * 1000), "Content-Encoding: gzip", "Cache-Control: max-age=100")
BROKEN = response(gzip.compress(b"abc" * 1000)[:-9], "Content-Encoding: gzip")
PLAIN = response(b"abc" * 100, PNG, 'ETag: "1"', "Cache-Control: max-age=100")
OLD = response(b"abc", "Cache-Control: max-age=1, stale-while-revalidate=60", "Age: 10")
RUNS = {
    "decoded": (CODED, ({"upper": {}},), ()),
    "decoded, stored": (CODED, ({"upper": {"cached": True}},), ()),
    "decoded, awaited, stored": (CODED, ({"upper_later": {"cached": True, "whole": True}},), ()),
    "broken": (BROKEN, ({"upper": {"whole": True}},), ()),
    "broken in a fetch": (BROKEN, ({"upper": {"cached": True, "whole": True}},), ()),
    "range": (PLAIN, ("upper",), ("Range: bytes=0-1",)),
    "answers in a fetch": (PLAIN, ({"shuts": {"how": "page"}},), ()),
    "fails in a fetch": (PLAIN, ({"shuts": {"how": "raise", "phase": "response_body"}},), ()),
    "validated in the background": (OLD, ({"upper_later": {"cached": True}},), ()),
}


@pytest.mark.parametrize("run", RUNS)
async def test_all_is_freed_at_the_end(tmp_path, run):
    reply, plugins, fields = RUNS[run]
    folder = transform_folder(tmp_path)
    top = {"plugin_paths": [str(folder / "plugins")]}

    async def once():
        for _ in range(2):
            assert (await ask(site, *fields)).status
        await eventually(lambda: not site.proxy.listener.service.active)
        await forget(site)

    async with caching(folder, reply, route={"plugins": list(plugins)}, disk=False, top=top) as site:
        await nothing_survives(once)


FOR_NOBODY_ELSE = b"Cache-Control: no-store"
LEFT = {
    "decoded": (CODED[:-9], {"upper_later": {"whole": True}}),
    "decoded in a fetch": (CODED[:-9], {"upper_later": {"cached": True, "whole": True}}),
    "range": (PLAIN[:-299], "upper"),
}


@pytest.mark.parametrize("left", LEFT)
async def test_all_is_freed_when_the_client_leaves(tmp_path, left):
    reply, plugin = LEFT[left]
    reply = reply.replace(b"Cache-Control: max-age=100", FOR_NOBODY_ELSE)

    async def script(conversation):
        await conversation.request()
        await conversation.send(reply)
        await conversation.rest()

    folder = transform_folder(tmp_path)
    top = {"plugin_paths": [str(folder / "plugins")]}

    async def once():
        async with site.proxy.client() as client:
            await client.send(get("/", "Range: bytes=0-9"))
            await eventually(lambda: site.proxy.listener.service.active)
        await eventually(lambda: not site.proxy.listener.service.active)
        await forget(site)

    async with caching(folder, script=script, route={"plugins": [plugin]}, disk=False, top=top) as site:
        await nothing_survives(once)
