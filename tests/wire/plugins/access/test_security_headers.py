"""Security fields on error pages of adc."""

from tests.kit.client import get
from tests.kit.member import Member
from tests.kit.proxy import config, serving


async def test_error_page_has_the_fields(tmp_path):
    async def closing(conversation):
        await conversation.request()

    options = {"security_headers": {"content_security_policy": "default-src 'none'"}}
    async with (
        Member(closing) as member,
        serving(tmp_path, config(member.address, route={"plugins": [options]})) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(get())
    assert (reply.status, reply[b"x-frame-options"]) == (502, b"SAMEORIGIN")
    assert reply[b"content-security-policy"] == b"default-src 'none'"
