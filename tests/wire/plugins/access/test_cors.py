"""CORS over sockets, before a plugin that refuses and on error pages."""

from tests.kit.client import get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving

ORIGIN = "Origin: https://app.example.com"
CORS = {"cors": {"origins": ["https://app.example.com"], "credentials": True}}
BASIC = {"basic_auth": {"users": {"alice": "$2y$04$2OsMAlWaP1ldQUXDqfJkJOk0VKPmqBPrK1CfhcF5n2XeCsZ5gFTJa"}}}
PREFLIGHT = get("/", ORIGIN, "Access-Control-Request-Method: PUT", method="OPTIONS")


async def asked(folder, script, data, *plugins, **top):
    async with (
        Member(script) as member,
        serving(folder, config(member.address, route={"plugins": list(plugins)}, **top)) as proxy,
        proxy.client() as client,
    ):
        return await client.ask(data), member


async def test_preflight_needs_no_credentials_and_reaches_no_member(tmp_path):
    reply, member = await asked(tmp_path, answering(), PREFLIGHT, CORS, BASIC)
    assert (reply.status, reply[b"access-control-allow-origin"]) == (204, b"https://app.example.com")
    assert not member.requests


async def test_refusal_of_a_later_plugin_can_be_read_by_the_page(tmp_path):
    reply, _ = await asked(tmp_path, answering(), get("/", ORIGIN), CORS, BASIC)
    assert (reply.status, reply[b"access-control-allow-origin"]) == (401, b"https://app.example.com")


async def test_error_page_can_be_read_by_the_page(tmp_path):
    async def closing(conversation):
        await conversation.request()

    reply, _ = await asked(tmp_path, closing, get("/", ORIGIN), CORS)
    assert (reply.status, reply[b"access-control-allow-origin"]) == (502, b"https://app.example.com")


async def test_cached_response_is_given_to_each_origin_with_its_own_fields(tmp_path):
    script = answering(
        response(b"ok", "Cache-Control: max-age=60", "Access-Control-Allow-Origin: https://first.test")
    )
    async with Member(script) as member:
        cors = {"cors": {"origins": ["https://*.example.com"]}}
        mapping = config(
            member.address, route={"plugins": [cors], "cache": True}, caches={"default": {"memory": "1MB"}}
        )
        async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
            for name in (b"a", b"b"):
                reply = await client.ask(get("/", f"Origin: https://{name.decode()}.example.com"))
                assert reply[b"access-control-allow-origin"] == b"https://%b.example.com" % name
        assert len(member.requests) == 1
