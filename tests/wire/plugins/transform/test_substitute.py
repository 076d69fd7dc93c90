"""`substitute` on real sockets."""

import pytest

from tests.kit.client import chunks_of, get
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving

RULES = [{"find": "http://intranet/", "replace": "https://www.example.com/"}]


async def replaced(folder, sent):
    """What a client gets if the member sends `sent`."""
    async with (
        Member(answering(lambda request: sent)) as member,
        serving(
            folder, config(member.address, route={"plugins": [{"substitute": {"rules": RULES}}]})
        ) as proxy,
        proxy.client() as client,
    ):
        return await client.ask(get())


@pytest.mark.parametrize(
    "sent",
    [
        response(b"<a href='http://intranet/x'>", "Content-Type: text/html"),
        response(b"", "Content-Type: text/html", "Transfer-Encoding: chunked", length=False)
        + chunks_of(b"<a href='http://int", b"ranet/x'>"),
    ],
)
async def test_text_is_replaced_whatever_the_framing(tmp_path, sent):
    reply = await replaced(tmp_path, sent)
    assert (reply.status, reply.body) == (200, b"<a href='https://www.example.com/x'>")


async def test_content_of_another_type_keeps_its_length(tmp_path):
    reply = await replaced(tmp_path, response(b"http://intranet/", "Content-Type: text/plain"))
    assert (reply.body, reply[b"content-length"]) == (b"http://intranet/", b"16")
