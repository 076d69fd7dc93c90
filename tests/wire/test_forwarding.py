"""What members are told, and what travels on (RFC 9110 section 7.6)."""

import re

import pytest

from tests.kit.client import get
from tests.kit.member import Member, answering, echo, response
from tests.kit.proxy import config, serving


async def seen(tmp_path, member, request, **settings):
    """The request as the member got it."""
    async with serving(tmp_path, config(member.address, **settings)) as proxy, proxy.client() as client:
        assert (await client.ask(request)).status == 200
        return member.requests[-1]


async def test_hop_by_hop_fields_stay_behind(tmp_path, member):
    fields = ["Connection: keep-alive, X-Secret", "X-Secret: 1", "Keep-Alive: timeout=9", "TE: gzip"]
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


SPOOFABLE_FIELDS = [
    "X-Forwarded-Port: 8443",
    "X-Forwarded-Prefix: //evil",
    "X-Forwarded-Ssl: on",
    "X-Real-IP: 6.6.6.6",
]
PATHS = ["X-Original-URL: /admin", "X-Rewrite-URL: /admin", "X-Forwarded-Uri: /admin", "Front-End-Https: on"]


async def test_fields_of_other_proxies_are_removed_from_clients(tmp_path, member):
    request = await seen(tmp_path, member, get("/", *SPOOFABLE_FIELDS, *PATHS))
    assert request.all(b"x-forwarded-port") == [b"80"]
    names = {line.partition(":")[0].lower().encode() for line in (*SPOOFABLE_FIELDS[1:], *PATHS)}
    assert not names & {name for name, _ in request.fields}


@pytest.mark.parametrize(
    "name", ["Proxy", "proxy", "PROXY", "X.Forwarded.For", "X_Real_IP", "X_Original.URL"]
)
@pytest.mark.parametrize("trusted", [[], ["127.0.0.0/8"]])
async def test_names_that_become_variables_of_a_proxy_stay_behind(tmp_path, member, name, trusted):
    request = await seen(tmp_path, member, get("/", f"{name}: evil:1"), trusted_proxies=trusted)
    assert b"evil" not in request.raw


@pytest.mark.parametrize(
    ("host", "fields", "port"),
    [
        ("a", [], b"80"),
        ("a:8080", [], b"8080"),
        ("[::1]", [], b"80"),
        ("[::1]:81", [], b"81"),
        ("a:", [], b"80"),
        ("a", ["X-Forwarded-Proto: https"], b"443"),
        ("a", ["X-Forwarded-Host: www:444", "X-Forwarded-Proto: https"], b"444"),
        ("a:8080", ["X-Forwarded-Port: 8443"], b"8443"),
    ],
)
async def test_members_are_told_the_port_that_the_client_used(tmp_path, member, host, fields, port):
    request = await seen(tmp_path, member, get("/", *fields, host=host), trusted_proxies=["127.0.0.0/8"])
    assert request.all(b"x-forwarded-port") == [port]


@pytest.mark.parametrize(
    ("target", "trusted", "prefix"),
    [
        ("/api/x", [], [b"/api"]),
        ("/api", [], [b"/api"]),
        ("//api/x", [], [b"/api"]),
        ("/other", [], []),
        ("/api/x", ["127.0.0.0/8"], [b"/outer/api"]),
        ("/other", ["127.0.0.0/8"], [b"/outer/"]),
    ],
)
async def test_members_are_told_the_prefix_that_was_stripped(tmp_path, member, target, trusted, prefix):
    route = {"rewrite": {"strip_prefix": "/api"}}
    lie = "X-Forwarded-Prefix: /outer/"
    request = await seen(tmp_path, member, get(target, lie), route=route, trusted_proxies=trusted)
    assert request.all(b"x-forwarded-prefix") == prefix


async def test_prefix_set_by_a_route_takes_precedence(tmp_path, member):
    route = {"rewrite": {"strip_prefix": "/api"}, "request_headers": {"remove": ["X-Forwarded-Prefix"]}}
    assert b"x-forwarded-prefix" not in await seen(tmp_path, member, get("/api/x"), route=route)


@pytest.mark.parametrize(
    ("trusted", "fields", "address"),
    [
        ([], [], b"127.0.0.1"),
        ([], ["X-Real-IP: 6.6.6.6"], b"127.0.0.1"),
        (["127.0.0.0/8"], ["X-Forwarded-For: 1.1.1.1", "X-Real-IP: 6.6.6.6"], b"1.1.1.1"),
        (["127.0.0.0/8"], ["X-Real-IP: 6.6.6.6"], b"6.6.6.6"),
        (["127.0.0.0/8"], [], b"127.0.0.1"),
    ],
)
async def test_the_client_is_told_in_x_real_ip_where_the_listener_says_so(
    tmp_path, member, trusted, fields, address
):
    settings = {"listener": {"real_ip": True}, "trusted_proxies": trusted}
    request = await seen(tmp_path, member, get("/", *fields), **settings)
    assert request.all(b"x-real-ip") == [address]


async def test_x_real_ip_set_by_a_route_takes_precedence(tmp_path, member):
    route = {"request_headers": {"set": {"X-Real-IP": "1.2.3.4"}}}
    request = await seen(tmp_path, member, get(), route=route, listener={"real_ip": True, "forwarded": True})
    assert request.all(b"x-real-ip") == [b"1.2.3.4"]
    assert len(request.all(b"forwarded")) == 1


@pytest.mark.parametrize(
    "said", [[], ["X-Forwarded-Proto: ftp", "X-Forwarded-For: 6.6.6.6", "Forwarded: for=b"]]
)
@pytest.mark.parametrize("trusted", [[], ["127.0.0.0/8"]])
async def test_proxy_fields_set_by_a_route_take_precedence(tmp_path, member, said, trusted):
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
    request = await seen(tmp_path, member, get("/", *SPOOFABLE_FIELDS), route=route)
    assert (request.all(b"x-real-ip"), request.all(b"x-forwarded-port")) == ([b"1.2.3.4"], [b"443"])
    assert b"x-forwarded-ssl" not in request


async def test_fields_of_a_trusted_proxy_are_forwarded(tmp_path, member):
    request = await seen(
        tmp_path,
        member,
        get("/", "Connection: X-Real-IP", *SPOOFABLE_FIELDS),
        trusted_proxies=["127.0.0.0/8"],
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


@pytest.mark.parametrize("proto", ["HTTPS", " https\t", ",https,", "https, http"])
async def test_the_scheme_of_a_trusted_proxy_is_a_list(tmp_path, member, proto):
    fields = [f"X-Forwarded-Proto: {proto}", "X-Forwarded-For: 1.1.1.1, 127.0.0.2"]
    request = await seen(tmp_path, member, get("/", *fields), trusted_proxies=["127.0.0.0/8"])
    assert request[b"x-forwarded-port"] == b"443"


@pytest.mark.parametrize(
    "lines", [["1.1.1.1,"], ["1.1.1.1", ""], [", ,1.1.1.1\t,,"], ["1.1.1.1, ::ffff:127.0.0.9"]]
)
async def test_empty_elements_and_several_lines_do_not_hide_the_client(tmp_path, member, lines):
    setting = config(member.address, trusted_proxies=["127.0.0.0/8"])
    async with serving(tmp_path, setting) as proxy, proxy.client() as client:
        await client.ask(get("/", *[f"X-Forwarded-For: {line}" for line in lines]))
        assert proxy.access_log()[0]["client"] == "1.1.1.1"


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


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"


@pytest.mark.parametrize("flags", ["00", "01"])
async def test_traceparent_is_passed_untouched(tmp_path, member, flags):
    request = await seen(
        tmp_path, member, get("/", f"traceparent: {TRACE}-{flags}", "tracestate: a=1", "TraceState: b=2")
    )
    assert request.all(b"traceparent") == [f"{TRACE}-{flags}".encode()]
    assert request.all(b"tracestate") == [b"a=1", b"b=2"]


async def test_no_traceparent_is_made(tmp_path, member):
    assert b"traceparent" not in await seen(tmp_path, member, get())


@pytest.mark.parametrize(
    "parents",
    [[], ["nonsense"], [f"{TRACE}-01", f"{TRACE}-01"], [f"ff{TRACE[2:]}-01"], [f"{TRACE}-01".upper()]],
)
async def test_tracestate_without_one_valid_traceparent_stays_behind(tmp_path, member, parents):
    lines = [f"traceparent: {parent}" for parent in parents]
    request = await seen(tmp_path, member, get("/", *lines, "tracestate: a=1"))
    assert b"tracestate" not in request
    assert request.all(b"traceparent") == [parent.encode() for parent in parents]


async def test_the_access_log_tells_the_trace(tmp_path, member):
    setting = config(member.address, access_log={"path": str(tmp_path / "log"), "format": "{trace_id}"})
    async with serving(tmp_path, setting) as proxy, proxy.client() as client:
        await client.ask(get("/", f"traceparent: {TRACE}-01"))
        await client.ask(get())
        proxy.worker.logs.access_log.flush()
    assert (tmp_path / "log").read_text().split() == [TRACE.split("-")[1], "-"]


def begun(request):
    """Return trace, parent and flags of the one `traceparent` of a request, which conform to the standard."""
    (value,) = request.all(b"traceparent")
    made = re.fullmatch(r"00-([0-9a-f]{32})-([0-9a-f]{16})-(0[01])", value.decode())
    assert int(made[1], 16)
    assert int(made[2], 16)
    return made.groups()


@pytest.mark.parametrize(("sampled", "flags"), [(True, "01"), (False, "00")])
async def test_trace_begins_for_a_request_without_one(tmp_path, member, sampled, flags):
    setting = config(member.address, listener={"trace_context": {"sampled": sampled}})
    async with serving(tmp_path, setting) as proxy, proxy.client() as client:
        traces = set()
        for _ in range(3):
            await client.ask(get())
            trace, parent, made = begun(member.requests[-1])
            assert made == flags
            traces |= {trace, parent}
    assert len(traces) == 6


@pytest.mark.parametrize("trusts", [True, False])
@pytest.mark.parametrize(
    ("parents", "valid"),
    [
        ([f"{TRACE}-00"], True),
        ([f"cc{TRACE[2:]}-01-more"], True),
        (["nonsense"], False),
        ([f"{TRACE}-01", f"{TRACE}-01"], False),
        ([f"ff{TRACE[2:]}-01"], False),
    ],
)
async def test_only_a_valid_trace_of_a_trusted_client_goes_on(tmp_path, member, trusts, parents, valid):
    lines = [f"Traceparent: {parent}" for parent in parents]
    setting = {"listener": {"trace_context": {"sampled": True}}}
    if trusts:
        setting["trusted_proxies"] = ["127.0.0.1"]
    request = await seen(tmp_path, member, get("/", *lines, "tracestate: a=1"), **setting)
    if trusts and valid:
        assert request.all(b"traceparent") == [parents[0].encode()]
        assert request.all(b"tracestate") == [b"a=1"]
    else:
        assert begun(request)[0] != TRACE.split("-")[1]
        assert b"tracestate" not in request


async def test_route_decides_about_the_trace_that_begins(tmp_path, member):
    listener = {"trace_context": {"sampled": True}}
    for edit, found in (({"set": {"traceparent": "x"}}, [b"x"]), ({"remove": ["traceparent"]}, [])):
        setting = {"listener": listener, "route": {"request_headers": edit}}
        assert (await seen(tmp_path, member, get(), **setting)).all(b"traceparent") == found


async def test_retried_request_and_its_log_line_have_the_trace_that_begins(tmp_path):
    log = {"path": str(tmp_path / "log"), "format": "{trace_id}"}
    async with Member(answering(response(b"", status=503))) as one, Member() as two:
        setting = config(
            one.address,
            two.address,
            listener={"trace_context": {"sampled": False}},
            pool={"balance": "first"},
            route={"retries": {"attempts": 1, "on": ["503"]}},
            access_log=log,
        )
        async with serving(tmp_path, setting) as proxy, proxy.client() as client:
            assert (await client.ask(get())).status == 200
            proxy.worker.logs.access_log.flush()
        assert begun(one.requests[0]) == begun(two.requests[0])
        assert (tmp_path / "log").read_text().split() == [begun(two.requests[0])[0]]


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


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_via_tells_the_version_in_which_the_request_was_received(tmp_path, member, version):
    request = await seen(tmp_path, member, get(version=version))
    assert request[b"via"] == f"{version} adc".encode()


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_via_tells_the_version_in_which_the_response_was_received(tmp_path, version):
    data = f"HTTP/{version} 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx".encode()
    async with (
        Member(answering(data)) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as client,
    ):
        for _ in range(2):
            assert (await client.ask(get()))[b"via"] == f"{version} adc".encode()


async def test_values_are_replaced_by_regular_expression_both_ways(tmp_path):
    edit = {"regex": "(?i)^http://([a-z.]+)/", "replace": r"https://\1/"}
    route = {
        "request_headers": {"replace": {"Referer": edit}},
        "response_headers": {"replace": {"Set-Cookie": [{"regex": "; *Domain=[^;]*", "replace": ""}]}},
    }
    reply = response(b"", "Set-Cookie: a=1; Domain=x.internal; Secure", "Set-Cookie: b=2")
    async with (
        Member(answering(reply)) as member,
        serving(tmp_path, config(member.address, route=route)) as proxy,
        proxy.client() as client,
    ):
        answer = await client.ask(get("/", "Referer: HTTP://a.example/x"))
        assert answer.all(b"set-cookie") == [b"a=1; Secure", b"b=2"]
        assert member.requests[0][b"referer"] == b"https://a.example/x"
