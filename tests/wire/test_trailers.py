"""Trailers through the exchange: to members, to clients that take them, through retries, plugins, cache and coding."""

import asyncio
import contextlib
import gzip

import pytest

from adc.compression.decoders import decoder
from tests.kit.client import chunked, chunks_of, get
from tests.kit.decoding import decoded
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually
from tests.wire.cached import caching

TRAILERS = ["X-Sum: 7", "Content-Digest: sha-256=:AAAA:"]
KEPT = [(b"x-sum", b"7"), (b"content-digest", b"sha-256=:AAAA:")]
TE = ("TE: trailers", "Connection: TE")


def trailed(*chunks, fields=(), trailers=TRAILERS, status=200):
    """A chunked response with trailers."""
    head = f"HTTP/1.1 {status} Told\r\n" + "".join(f"{line}\r\n" for line in fields)
    return head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunks_of(*chunks, trailers=trailers)


@contextlib.asynccontextmanager
async def proxied(folder, *replies, **options):
    async with (
        Member(answering(*replies)) as member,
        serving(folder, config(member.address, **options)) as proxy,
        proxy.client() as client,
    ):
        yield proxy, client, member


def dropped(proxy, direction):
    name, labels = "adc_trailers_dropped_total", ("web", direction)
    return sum(
        sample.value for sample in proxy.worker.samples() if (sample.name, sample.labels) == (name, labels)
    )


async def test_trailers_of_a_request_reach_the_member_behind_its_content(tmp_path):
    async with proxied(tmp_path) as (proxy, client, member):
        await client.ask(chunked(b"one", b"two", trailers=["X-Sum: 7", "Grpc-Status: 0"]))
        (request,) = member.requests
        assert (request.body, request.trailers) == (b"onetwo", [(b"x-sum", b"7"), (b"grpc-status", b"0")])
        assert dropped(proxy, "request") == 0


async def test_trailers_that_follow_later_reach_the_member(tmp_path):
    async with proxied(tmp_path) as (_, client, member):
        whole = chunked(b"one", trailers=["X-Sum: 7"])
        await client.dribble(whole)
        assert (await client.reply()).status == 200
        assert member.requests[0].trailers == [(b"x-sum", b"7")]


async def test_trailers_are_sent_again_with_the_content_of_a_retried_request(tmp_path):
    async with (
        Member(answering(response(status=503))) as bad,
        Member() as good,
        serving(
            tmp_path,
            config(
                bad.address,
                good.address,
                pool={"balance": "first"},
                route={"retries": {"attempts": 1, "on": ["5xx"]}},
            ),
        ) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(chunked(b"some", trailers=["X-Sum: 7"], method="PUT"))).status == 200
        for member in (bad, good):
            (request,) = member.requests
            assert (request.body, request.trailers) == (b"some", [(b"x-sum", b"7")])


async def test_trailers_of_a_mirrored_request_are_copied(tmp_path):
    async with Member() as member, Member() as copies:
        written = config(member.address, route={"mirror": {"pool": "copies"}})
        written["pools"]["copies"] = {"members": [copies.address]}
        async with serving(tmp_path, written) as proxy, proxy.client() as client:
            await client.ask(chunked(b"some", trailers=["X-Sum: 7"]))
            await eventually(lambda: copies.requests)
            assert copies.requests[0].trailers == member.requests[0].trailers == [(b"x-sum", b"7")]


async def test_trailers_of_a_response_reach_a_client_that_takes_them(tmp_path):
    async with proxied(tmp_path, trailed(b"one", b"two")) as (proxy, client, member):
        reply = await client.ask(get("/", *TE))
        assert (reply.body, reply.trailers) == (b"onetwo", KEPT)
        assert b"x-sum" not in reply
        assert member.requests[0][b"te"] == b"trailers"
        assert dropped(proxy, "response") == 0


async def test_trailers_of_a_response_are_dropped_for_other_clients_and_counted(tmp_path):
    async with proxied(tmp_path, trailed(b"one", b"two")) as (proxy, client, _):
        reply = await client.ask(get())
        assert (reply.body, reply.trailers) == (b"onetwo", [])
        assert b"x-sum" not in reply
        assert dropped(proxy, "response") == 2
        assert (await client.ask(get("/", *TE))).trailers == KEPT


async def test_a_client_of_http_1_0_gets_no_trailers(tmp_path):
    async with proxied(tmp_path, trailed(b"one")) as (proxy, client, _):
        await client.send(get("/", *TE, version="1.0"))
        assert (await client.rest()).endswith(b"\r\n\r\none")
        assert dropped(proxy, "response") == 2


async def test_forbidden_trailers_of_a_member_are_dropped_and_counted(tmp_path):
    reply = trailed(b"one", trailers=["Set-Cookie: a=1", "X-Sum: 7", "Content-Length: 3"])
    async with proxied(tmp_path, reply) as (proxy, client, _):
        assert (await client.ask(get("/", *TE))).trailers == [(b"x-sum", b"7")]
        assert dropped(proxy, "response") == 2


async def test_a_response_with_nothing_but_forbidden_trailers_ends_in_order(tmp_path):
    async with proxied(tmp_path, trailed(b"one", trailers=["Set-Cookie: a=1"])) as (proxy, client, _):
        for _ in range(2):
            reply = await client.ask(get("/", *TE))
            assert (reply.body, reply.trailers) == (b"one", [])
        assert dropped(proxy, "response") == 2


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
async def test_trailers_follow_compressed_content_without_those_that_describe_it(tmp_path, coding):
    page = b"<p>page</p>" * 400
    reply = trailed(page[:2000], page[2000:], fields=["Content-Type: text/html"])
    async with proxied(tmp_path, reply, route={"compression": True}) as (proxy, client, _):
        answer = await client.ask(get("/", f"Accept-Encoding: {coding}", *TE))
        assert answer[b"content-encoding"] == coding.encode()
        assert decoded(decoder(coding.encode()), answer.body) == page
        assert answer.trailers == [(b"x-sum", b"7")]
        assert dropped(proxy, "response") == 1


async def test_trailers_follow_decoded_content_without_those_that_describe_it(tmp_path):
    page = b"<p>page</p>" * 40_000
    coded = gzip.compress(page)
    reply = trailed(coded[:100], coded[100:], fields=["Content-Type: text/html", "Content-Encoding: gzip"])
    async with proxied(tmp_path, reply, route={"compression": True}) as (_, client, _):
        answer = await client.ask(get("/", "Accept-Encoding: identity", *TE))
        assert (answer.body, answer.trailers) == (page, [(b"x-sum", b"7")])


async def test_a_response_to_head_has_no_trailers(tmp_path):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    async with proxied(tmp_path, head, trailed(b"one")) as (_, client, _):
        reply = await client.ask(get("/", *TE, method="HEAD"), "HEAD")
        assert (reply.body, reply.trailers) == (b"", [])
        assert (await client.ask(get("/", *TE))).trailers == KEPT


CACHED = ["Cache-Control: max-age=100"]


async def test_trailers_pass_a_cache_on_a_miss_and_are_not_stored(tmp_path):
    async with caching(tmp_path, trailed(b"one", b"two", fields=CACHED)) as cached:
        miss = await cached.get("/", *TE)
        hit = await cached.get("/", *TE)
        assert len(cached.asked) == 1
        assert (miss.body, miss.trailers) == (b"onetwo", KEPT)
        assert (hit.body, hit.trailers) == (b"onetwo", [])
        assert b"x-sum" not in hit


async def test_trailers_pass_a_cache_for_a_response_that_is_not_stored(tmp_path):
    reply = trailed(b"one", b"two", fields=["Cache-Control: no-store"])
    async with caching(tmp_path, reply) as cached:
        assert [(await cached.get("/", *TE)).trailers for _ in range(2)] == [KEPT, KEPT]


async def test_followers_of_a_fetch_that_take_trailers_get_them(tmp_path):
    release = asyncio.Event()

    async def script(conversation):
        while True:
            await conversation.request()
            await release.wait()
            whole = trailed(b"one", b"two", fields=CACHED)
            await conversation.send(whole[:-30])
            await conversation.send(whole[-30:])

    async with caching(tmp_path, script=script) as cached:

        async def ask(*fields):
            async with cached.proxy.client() as client:
                return await client.ask(get("/", *fields))

        leader = asyncio.create_task(ask(*TE))
        await eventually(lambda: cached.asked)
        others = [asyncio.create_task(ask(*fields)) for fields in (TE, ())]
        await eventually(lambda: cached.store.flights.waiting(b"http://a/") == 2)
        release.set()
        first, *rest = [await task for task in (leader, *others)]
        assert [reply.body for reply in (first, *rest)] == [b"onetwo"] * 3
        assert [reply.trailers for reply in (first, *rest)] == [KEPT, KEPT, []]
        assert len(cached.asked) == 1
