"""What becomes of sticky clients when the file of their pins is full, gone, or configured anew."""

import contextlib
import shutil

from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually


@contextlib.asynccontextmanager
async def sticky(folder, **state):
    async with contextlib.AsyncExitStack() as stack:
        members = [
            await stack.enter_async_context(Member(answering(response(b"m%d" % number))))
            for number in range(3)
        ]
        mapping = config(
            *(member.address for member in members),
            pool={"persistence": {"header": {"name": "x-user", "size": 1_000_000}}},
            state={"backend": "local", "path": str(folder / "state"), **state},
        )
        proxy = await stack.enter_async_context(serving(folder, mapping))
        yield proxy, await stack.enter_async_context(proxy.client())


async def member_of(client, user):
    """The member of a user, the same for each of three requests."""
    replies = [await client.ask(get("/", f"X-User: {user}")) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 200]
    (member,) = {reply.body for reply in replies}
    return member


async def test_reload_that_raises_the_size_keeps_the_pins(tmp_path):
    async with sticky(tmp_path, size="16MB") as (proxy, client):
        before = {user: await member_of(client, user) for user in range(6)}
        await proxy.change(lambda settings: settings["state"].update(size="64MB"))
        assert {user: await member_of(client, user) for user in range(6)} == before
        assert not proxy.worker.state.status().degraded
        assert len(proxy.worker.runtime.sticky["app"].table) == 6


async def test_clients_stick_while_the_folder_cannot_be_used_and_afterwards(tmp_path):
    async with sticky(tmp_path) as (proxy, client):
        assert await member_of(client, "before")
        shutil.rmtree(tmp_path / "state")
        (tmp_path / "state").write_text("in the way")
        await eventually(lambda: proxy.worker.state.status().degraded)
        assert "state.path" in proxy.worker.state.status().reason
        member = await member_of(client, "meanwhile")
        (tmp_path / "state").unlink()
        await eventually(lambda: not proxy.worker.state.status().degraded)
        assert await member_of(client, "meanwhile") == member
        assert await member_of(client, "after")


async def test_new_clients_stick_when_the_file_is_full(tmp_path):
    async with sticky(tmp_path, size="1MB") as (proxy, client):
        table, now = proxy.worker.runtime.sticky["app"].table, proxy.worker.clock.wall
        for number in range(16_000):
            table.set(b"%06d" % number, b"v" * 1000, 3600, now - 1)
        for user in range(20):
            assert await member_of(client, f"new{user}")
        assert not proxy.worker.state.status().degraded
        assert table.stats.evicted > 0


async def test_signing_key_comes_back_when_its_file_is_deleted(tmp_path):
    async with Member(answering(response(b"m"))) as member:
        state = {"backend": "local", "path": str(tmp_path / "state")}
        mapping = config(member.address, pool={"persistence": "cookie"}, state=state)
        async with serving(tmp_path, mapping):
            file = tmp_path / "state" / "signing.key"
            key = file.read_bytes()
            shutil.rmtree(tmp_path / "state")
            await eventually(file.exists)
            assert file.read_bytes() == key
