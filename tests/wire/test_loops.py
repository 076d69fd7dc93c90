"""Routes that lead a request back to where it came from."""

import yaml

from tests.kit.client import get
from tests.kit.member import Member
from tests.kit.proxy import config, serving


def via(rounds):
    return "Via: " + ", ".join(["1.1 adc"] * rounds)


async def leading_back(proxy, folder, mapping):
    """Give the pool the listener itself, by two names, as its members."""
    mapping["pools"]["app"]["members"] = [f"{name}:{proxy.port}" for name in ("127.0.0.1", "localhost")]
    file = folder / "adc.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **mapping}))
    await proxy.prepare()
    proxy.worker.commit()


async def test_a_route_that_leads_to_its_own_listener_ends_after_few_rounds(tmp_path):
    mapping = config("127.0.0.1:1", route={"retries": {"attempts": 2, "on": ["5xx"]}})
    async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
        await leading_back(proxy, tmp_path, mapping)
        reply = await client.ask(get("/", "Accept: application/json"))
        assert reply.status == 508
        assert reply[b"proxy-status"] == b'adc; error=proxy_loop_detected; details="loop"'
        records = proxy.access_log()
        assert [(each["status"], each["end_reason"]) for each in records] == [(508, "loop")] + [
            (508, "-")
        ] * 11
        assert proxy.listener.service.refusals == {"loop": 1}
        assert "goes round" in reply.body.decode()


async def test_a_chain_of_proxies_of_the_same_name_is_no_loop(tmp_path):
    async with (
        Member() as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get("/", via(10)))).status == 200
        assert member.requests[0].all(b"via") == [via(10).removeprefix("Via: ").encode(), b"1.1 adc"]
        assert (await client.ask(get("/", via(6), via(5)))).status == 508
        assert (await client.ask(get("/", "Via: 1.1 other"))).status == 200
        assert len(member.requests) == 2
