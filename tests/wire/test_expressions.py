"""Regular expressions of a route cost no more than the text is long."""

import pytest

from tests.kit.client import get
from tests.kit.member import Member, answering, echo
from tests.kit.proxy import config, serving


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "match",
    [
        {"path": {"regex": "^/(a+)+$"}},
        {"query": {"q": {"regex": "^(a+)+$"}}},
        {"headers": {"x-q": {"regex": "^(a|a)*$"}}},
        {"cookies": {"q": {"regex": "^(a?){300}a{300}$"}}},
    ],
)
async def test_a_request_made_for_a_backtracking_expression_is_routed_at_once(tmp_path, match):
    text = "a" * 3000 + "!"
    async with Member(answering(echo)) as member:
        setting = config(member.address)
        setting["routes"].insert(0, {"name": "expensive", "match": match, "respond": 403})
        async with serving(tmp_path, setting) as proxy, proxy.client() as client:
            request = get(f"/{text}?q={text}", f"X-Q: {text}", f"Cookie: q={text}")
            assert (await client.ask(request)).status == 200


@pytest.mark.timeout(20)
async def test_a_rewrite_that_would_replace_too_often_is_refused(tmp_path):
    route = {"rewrite": {"path": {"regex": "a.*b|a", "replace": "c"}}}
    async with (
        Member(answering(echo)) as member,
        serving(tmp_path, config(member.address, route=route)) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get("/aaa"))).status == 200
        assert member.requests[-1].target == "/ccc"
        assert (await client.ask(get("/" + "a" * 7000))).status == 400
