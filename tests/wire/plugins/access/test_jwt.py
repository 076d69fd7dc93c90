"""Tokens over sockets, with keys from a server."""

from tests.kit.client import get
from tests.kit.member import Member, answering, echo, response
from tests.kit.proxy import config, serving
from tests.kit.tokens import jwks, key, token


async def test_token_is_verified_with_keys_of_the_issuer_and_stays_out_of_the_logs(tmp_path):
    async with Member(answering(response(jwks(key()).encode()))) as issuer, Member(answering(echo)) as member:
        options = {
            "jwks_url": f"http://127.0.0.1:{issuer.port}/keys",
            "audience": "api",
            "query": "access_token",
            "headers": {"X-User": "sub"},
        }
        mapping = config(member.address, route={"plugins": [{"jwt": options}]})
        async with serving(tmp_path, mapping) as proxy, proxy.client() as client:
            text = token()
            refused = await client.ask(get())
            passed = await client.ask(get("/", f"Authorization: Bearer {text}", "X-User: root"))
            asked = await client.ask(get(f"/p?access_token={text}"))
            logs = str(proxy.access_log()) + proxy.error_log()
    assert (refused.status, refused[b"www-authenticate"]) == (401, b'Bearer realm="api"')
    assert (passed.status, b"X-User: alice\r\n" in passed.body, b"root" in passed.body) == (200, True, False)
    assert asked.body.startswith(b"GET /p HTTP/1.1\r\n")
    assert text not in logs
    assert len(issuer.requests) == 1


async def test_issuer_that_is_away_is_a_503_and_known_again_later(tmp_path):
    async with (
        Member(answering(response(b"", status=500), response(jwks(key()).encode()))) as issuer,
        Member() as member,
    ):
        url = f"http://127.0.0.1:{issuer.port}/keys"
        route = {"plugins": [{"jwt": {"jwks_url": url, "audience": "api", "retry": "10ms"}}]}
        async with serving(tmp_path, config(member.address, route=route)) as proxy, proxy.client() as client:
            data = get("/", f"Authorization: Bearer {token()}")
            statuses = set()
            while 200 not in statuses:
                statuses.add((await client.ask(data)).status)
            assert statuses <= {200, 503}
            assert "keys of the issuer were not fetched" in proxy.error_log()
