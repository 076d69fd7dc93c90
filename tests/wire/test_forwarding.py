"""What members are told, and what travels on (RFC 9110 section 7.6)."""

import pytest

from tests.kit.client import get
from tests.kit.member import Member, answering, echo, response
from tests.kit.proxy import config, serving


@pytest.fixture
async def member():
    async with Member(answering(echo)) as member:
        yield member


async def seen(tmp_path, member, request, **settings):
    """The request as the member got it."""
    async with serving(tmp_path, config(member.address, **settings)) as proxy, proxy.client() as client:
        assert (await client.ask(request)).status == 200
        return member.requests[-1]


async def test_hop_by_hop_fields_stay_behind(tmp_path, member):
    fields = ["Connection: keep-alive, X-Secret", "X-Secret: 1", "Keep-Alive: timeout=9", "TE: trailers"]
    fields += ["Proxy-Connection: keep-alive", "Proxy-Authorization: x", "Trailer: X", "Upgrade: h2c"]
    request = await seen(tmp_path, member, get("/", *fields, "X-Kept: 1"))
    hop_by_hop = {b"connection", b"x-secret", b"keep-alive", b"te", b"proxy-connection"}
    hop_by_hop |= {b"proxy-authorization", b"trailer", b"upgrade"}
    assert not hop_by_hop & {name for name, _ in request.fields}
    assert request[b"x-kept"] == b"1"


async def test_connection_cannot_name_what_others_decide_by(tmp_path, member):
    fields = [
        "Connection: close, Host, X-Forwarded-For, Cookie, Authorization",
        "Cookie: a=b",
        "Authorization: x",
    ]
    request = await seen(tmp_path, member, get("/", *fields))
    assert {b"host", b"x-forwarded-for", b"cookie", b"authorization"} <= {name for name, _ in request.fields}


@pytest.mark.parametrize(
    "name",
    ["X_Forwarded_For", "x_forwarded-host", "X-Forwarded_Proto", "Transfer_Encoding", "content_length"],
)
async def test_a_spelling_with_underscores_does_not_pass_for_a_field_that_counts(tmp_path, member, name):
    request = await seen(tmp_path, member, get("/", f"{name}: 7", "X_Other: 1"))
    names = {other.lower() for other, _ in request.fields}
    assert name.lower().encode() not in names
    assert b"x_other" in names


async def test_hop_by_hop_fields_of_a_response_stay_behind(tmp_path):
    fields = [
        "Connection: X-Secret",
        "X-Secret: 1",
        "Keep-Alive: timeout=9",
        "Trailer: X",
        "Proxy-Authenticate: x",
    ]
    async with (
        Member(answering(response(b"x", *fields, "X-Kept: 1", "Set-Cookie: a", "Set-Cookie: b"))) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(get())
        names = {name for name, _ in reply.fields}
        assert not names & {b"connection", b"x-secret", b"keep-alive", b"trailer", b"proxy-authenticate"}
        assert reply.all(b"set-cookie") == [b"a", b"b"]
        assert reply[b"via"] == b"1.1 adc"
        assert len(reply.all(b"date")) == 1


async def test_order_spelling_and_repetition_of_fields_are_kept(tmp_path, member):
    request = await seen(tmp_path, member, get("/", "X-b: 2", "X-A: 1", "x-B: 3", "X-Empty:"))
    assert b"X-b: 2\r\nX-A: 1\r\nx-B: 3\r\nX-Empty: \r\n" in request.raw


async def test_a_client_is_not_believed_about_where_it_comes_from(tmp_path, member):
    lies = [
        "X-Forwarded-For: 1.1.1.1",
        "X-Forwarded-For: 2.2.2.2",
        "X-Forwarded-Proto: https",
        "Forwarded: for=3.3.3.3",
    ]
    request = await seen(tmp_path, member, get("/", *lies, "X-Forwarded-Host: evil"))
    assert request[b"x-forwarded-for"] == b"127.0.0.1"
    assert (request[b"x-forwarded-proto"], request[b"x-forwarded-host"]) == (b"http", b"a")
    assert b"forwarded" not in request


CLAIMS = ["X-Forwarded-Port: 8443", "X-Forwarded-Prefix: //evil", "X-Forwarded-Ssl: on", "X-Real-IP: 6.6.6.6"]


async def test_what_only_other_proxies_write_is_not_taken_from_a_client(tmp_path, member):
    request = await seen(tmp_path, member, get("/", *CLAIMS))
    assert not {b"x-forwarded-port", b"x-forwarded-prefix", b"x-forwarded-ssl", b"x-real-ip"} & {
        name for name, _ in request.fields
    }


@pytest.mark.parametrize(
    "said", [[], ["X-Forwarded-Proto: ftp", "X-Forwarded-For: 6.6.6.6", "Forwarded: for=b"]]
)
@pytest.mark.parametrize("trusted", [[], ["127.0.0.0/8"]])
async def test_what_the_route_says_of_fields_that_a_proxy_writes_stands(tmp_path, member, said, trusted):
    edits = {
        "set": {"X-Forwarded-Proto": "https", "Forwarded": "for={client_ip}"},
        "remove": ["X-Forwarded-Host"],
    }
    settings = {"route": {"request_headers": edits}, "listener": {"forwarded": True}}
    request = await seen(tmp_path, member, get("/", *said), trusted_proxies=trusted, **settings)
    assert request.all(b"x-forwarded-proto") == [b"https"]
    assert [value[:4] for value in request.all(b"forwarded")] == [b"for="]
    assert b"x-forwarded-host" not in request
    assert len(request.all(b"x-forwarded-for")) == len(request.all(b"x-request-id")) == 1


async def test_a_client_cannot_take_away_what_the_route_sets(tmp_path, member):
    route = {"request_headers": {"set": {"X-Real-IP": "1.2.3.4", "X-Forwarded-Port": "443"}}}
    request = await seen(tmp_path, member, get("/", *CLAIMS), route=route)
    assert (request.all(b"x-real-ip"), request.all(b"x-forwarded-port")) == ([b"1.2.3.4"], [b"443"])
    assert b"x-forwarded-ssl" not in request


async def test_what_a_trusted_proxy_writes_travels_on(tmp_path, member):
    request = await seen(
        tmp_path, member, get("/", "Connection: X-Real-IP", *CLAIMS), trusted_proxies=["127.0.0.0/8"]
    )
    assert (request[b"x-forwarded-port"], request[b"x-real-ip"]) == (b"8443", b"6.6.6.6")


async def test_a_trusted_proxy_is_believed_and_added_to(tmp_path, member):
    told = [
        "X-Forwarded-For: 1.1.1.1, 10.0.0.1",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: www.example.com",
    ]
    request = await seen(tmp_path, member, get("/", *told), trusted_proxies=["127.0.0.0/8"])
    assert request[b"x-forwarded-for"] == b"1.1.1.1, 10.0.0.1, 127.0.0.1"
    assert (request[b"x-forwarded-proto"], request[b"x-forwarded-host"]) == (b"https", b"www.example.com")


async def test_forwarded_is_sent_where_the_listener_says_so(tmp_path, member):
    lie = "Forwarded: for=3.3.3.3"
    request = await seen(tmp_path, member, get("/", lie, host="a:80"), listener={"forwarded": True})
    assert request.all(b"forwarded") == [b'for=127.0.0.1;host="a:80";proto=http']
    assert request[b"x-forwarded-for"] == b"127.0.0.1"


async def test_forwarded_of_a_trusted_proxy_is_added_to(tmp_path, member):
    settings = {"listener": {"forwarded": True}, "trusted_proxies": ["127.0.0.0/8"]}
    request = await seen(tmp_path, member, get("/", "Forwarded: for=1.1.1.1"), **settings)
    assert request.all(b"forwarded") == [b"for=1.1.1.1, for=127.0.0.1;host=a;proto=http"]


async def test_the_log_shows_the_client_behind_trusted_proxies(tmp_path, member):
    setting = config(member.address, trusted_proxies=["127.0.0.0/8", "10.0.0.0/8"])
    async with serving(tmp_path, setting) as proxy, proxy.client() as client:
        await client.ask(get("/", "X-Forwarded-For: 9.9.9.9, 1.1.1.1, 10.0.0.1"))
        assert proxy.access_log()[0]["client"] == "1.1.1.1"


async def test_via_is_added_to(tmp_path, member):
    request = await seen(tmp_path, member, get("/", "Via: 1.0 other"))
    assert request.all(b"via") == [b"1.0 other", b"1.1 adc"]


async def test_a_request_id_is_kept_if_it_is_one_and_made_otherwise(tmp_path, member):
    request = await seen(tmp_path, member, get("/", "X-Request-Id: abc-12345"))
    assert request[b"x-request-id"] == b"abc-12345"
    for field in ("X-Request-Id: a b\\x", "X-Request-Id: " + "x" * 500, "X-Other: 1"):
        made = (await seen(tmp_path, member, get("/", field)))[b"x-request-id"]
        assert len(made) == 32
        assert int(made, 16)


async def test_traceparent_is_continued_or_begun(tmp_path, member):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    request = await seen(tmp_path, member, get("/", f"traceparent: 00-{trace}-00f067aa0ba902b7-01"))
    version, trace_id, parent, flags = request[b"traceparent"].decode().split("-")
    assert (version, trace_id, flags) == ("00", trace, "01")
    assert parent != "00f067aa0ba902b7"
    begun = (await seen(tmp_path, member, get("/", "traceparent: nonsense")))[b"traceparent"]
    assert len(begun) == 55


async def test_an_absolute_target_decides_the_host(tmp_path, member):
    setting = {"route": {"match": {"host": "www.example.com"}}}
    request = await seen(tmp_path, member, get("http://www.example.com:80/x?y", host="other"), **setting)
    assert request.target == "/x?y"
    assert request[b"host"] == request[b"x-forwarded-host"] == b"www.example.com:80"


async def test_options_asterisk_is_passed_on(tmp_path, member):
    request = await seen(tmp_path, member, get("*", method="OPTIONS"))
    assert (request.method, request.target) == ("OPTIONS", "*")


@pytest.mark.parametrize("fields", [(), ("Host:",)], ids=["without Host", "with an empty one"])
async def test_a_client_without_host_has_the_authority_of_the_member_sent(tmp_path, fields):
    async with (
        Member(answering(echo)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get("/", *fields, version="1.0", host=None))
        (request,) = member.requests
        assert request[b"host"] == member.address.encode()
        assert b"x-forwarded-host" not in request


async def test_a_client_without_host_at_a_unix_socket_asks_for_localhost(tmp_path):
    async with (
        Member(answering(echo), path=str(tmp_path / "s")) as member,
        serving(tmp_path / "p", config(member.address)) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get("/", version="1.0", host=None))
        assert member.requests[0][b"host"] == b"localhost"


async def test_a_client_without_host_has_the_host_of_its_route_sent(tmp_path):
    async with (
        Member(answering(echo)) as member,
        serving(tmp_path, config(member.address, route={"rewrite": {"host": "shop.test"}})) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get("/", version="1.0", host=None))
        assert member.requests[0][b"host"] == b"shop.test"
        assert sum(name.lower() == b"host" for name, _ in member.requests[0].fields) == 1
