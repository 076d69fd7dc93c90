"""Responses to mirrored requests, compared with those to the clients."""

import pytest

from tests.kit.client import get, post
from tests.kit.member import Member, answering, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"


def mirrored(member, copies, compare):
    written = config(member.address, route={"mirror": {"pool": "copies", "compare": compare}})
    written["pools"]["copies"] = {"members": [copies]}
    return written


def results(proxy):
    (pipeline,) = proxy.worker.runtime.pipelines
    return pipeline.counters.mirrored


async def compared(folder, one, other, compare, data=None, method="GET"):
    """The results of one request, and the error log."""
    async with (
        Member(answering(one)) as member,
        Member(answering(other)) as copies,
        serving(folder, mirrored(member, copies.address, compare)) as proxy,
        proxy.client() as client,
    ):
        await client.ask(data or get("/a?secret"), method)
        await eventually(lambda: results(proxy))
        return results(proxy), proxy.error_log()


@pytest.mark.parametrize(
    ("one", "other", "compare", "result"),
    [
        (response(b"abcde"), response(b"abcde"), "size", "same"),
        (response(b"abcde"), CHUNKED, "body", "same"),
        (response(b"abcde"), response(b"abcdf"), "size", "same"),
        (response(b"abcde"), response(b"abcdf"), "body", "body"),
        (response(b"abcde"), response(b"abcdef"), "size", "size"),
        (CHUNKED, response(b""), "size", "size"),
    ],
)
@pytest.mark.parametrize(
    "data", [get("/a?secret"), post(b"content", target="/a?secret")], ids=["GET", "POST"]
)
async def test_responses_are_compared(tmp_path, one, other, compare, result, data):
    found, log = await compared(tmp_path, one, other, compare, data)
    assert found == {result: 1}
    assert ("mirror_differs" in log) is (result != "same")
    assert "secret" not in log


async def test_difference_of_status_is_logged_with_both(tmp_path):
    wrong = b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"
    found, log = await compared(tmp_path, response(b"abcde"), wrong, "size")
    assert found == {"status": 1}
    for text in (
        "difference=status",
        "status=200",
        "mirror_status=500",
        "size=5",
        "mirror_size=2",
        "path=/a",
    ):
        assert text in log


async def test_copy_without_a_response_is_incomplete(tmp_path):
    async with Member() as copies:
        gone = copies.address
    async with (
        Member(answering(response(b"a"))) as member,
        serving(tmp_path, mirrored(member, gone, "size")) as proxy,
        proxy.client() as client,
    ):
        assert (await client.ask(get())).status == 200
        await eventually(lambda: results(proxy) == {"incomplete": 1})


async def test_first_response_of_a_cached_route_is_compared(tmp_path):
    page = response(b"a", "Cache-Control: max-age=100")
    async with Member(answering(page)) as member, Member(answering(page)) as copies:
        written = mirrored(member, copies.address, "size")
        written["routes"][0]["cache"] = "site"
        written["caches"] = {"site": {"memory": "1MB"}}
        async with serving(tmp_path, written) as proxy, proxy.client() as client:
            for _ in range(3):
                await client.ask(get())
            await eventually(lambda: results(proxy) == {"same": 1})
            assert len(copies.requests) == 1


async def test_results_outlive_a_reload(tmp_path):
    async with (
        Member(answering(response(b"a"))) as member,
        Member(answering(response(b"a"))) as copies,
        serving(tmp_path, mirrored(member, copies.address, "size")) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get())
        await eventually(lambda: results(proxy) == {"same": 1})
        await proxy.change(lambda mapping: mapping["routes"][0].update(timeouts={"idle": "9s"}))
        await client.ask(get())
        await eventually(lambda: results(proxy) == {"same": 2})


async def test_nothing_is_compared_by_default(tmp_path):
    async with (
        Member() as member,
        Member() as copies,
        serving(tmp_path, mirrored(member, copies.address, "off")) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get())
        await eventually(lambda: copies.requests)
        assert results(proxy) == {}
