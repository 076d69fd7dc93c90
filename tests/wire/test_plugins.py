"""Plugins of a route on real sockets: phases, order, limits, failures, reload."""

import asyncio
import gc
import sys
from collections import Counter
from random import Random

import pytest
import yaml

from adc.config.loading import load
from adc.runtime.errors import BuildError
from adc.runtime.runtime import Runtime
from tests.kit.client import chunked, get, post
from tests.kit.member import Member, answering, echo, response
from tests.kit.proxy import config, serving
from tests.kit.waiting import within

PLUGINS = '''
import asyncio, re, time
from dataclasses import dataclass
from adc.plugin import Context, NoOptions, Plugin, Response

@dataclass(frozen=True)
class TagOptions:
    tag: str = "a"
    wait: bool = False
    answer: bool = False

class Tag(Plugin[TagOptions]):
    """Marks what passes, so that the order shows."""
    name = "tag"
    def request_head(self, context):
        headers = context.request.headers
        headers.set(b"X-Order", (headers.get(b"x-order") or b"") + self.options.tag.encode())
        if self.options.answer:
            return Response(403, {"X-By": self.options.tag}, "no\\n")
    def response_head(self, context):
        headers = context.response.headers
        headers.set(b"X-Order", (headers.get(b"x-order") or b"") + self.options.tag.encode())

class Slow(Plugin[TagOptions]):
    """The same, awaiting something in each phase."""
    name = "slow"
    async def request_head(self, context):
        await asyncio.sleep(0.01)
        context.request.headers.set(b"X-Slow", b"1")
    async def request_body(self, context, data, end):
        await asyncio.sleep(0.001)
        return data.upper()
    async def response_head(self, context):
        await asyncio.sleep(0.01)
        context.response.headers.set(b"X-Slow", b"1")
    async def response_body(self, context, data, end):
        await asyncio.sleep(0.001)
        return data.swapcase()

class Never(Plugin[NoOptions]):
    name = "never"
    cancelled = asyncio.Event()
    async def request_head(self, context):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            Never.cancelled.set()
            raise

@dataclass(frozen=True)
class WholeOptions:
    limit: int = 1000
    wait: bool = False

class Whole(Plugin[WholeOptions]):
    """Sees content in whole, both ways."""
    name = "whole"
    def __init__(self, options):
        super().__init__(options)
        self.request_body_limit = self.response_body_limit = options.limit
    def request_body(self, context, data, end):
        if b"attack" in data:
            return Response(403, {}, "blocked", reason="denied")
        return b"<" + data + b">"
    def response_body(self, context, data, end):
        if b"secret" in data:
            return Response(502, {}, "withheld")
        return b"[" + data + b"]"

class Pieces(Plugin[NoOptions]):
    name = "pieces"
    def request_body(self, context, data, end):
        return data.replace(b"a", b"bb") + (b"!" if end else b"")
    def response_body(self, context, data, end):
        return data.replace(b"a", b"cc") + (b"?" if end else b"")

@dataclass(frozen=True)
class BadOptions:
    phase: str = "request_head"
    how: str = "raise"

class Bad(Plugin[BadOptions]):
    name = "bad"
    def _go(self, phase):
        if phase == self.options.phase:
            if self.options.how == "raise":
                raise RuntimeError("very private")
            if self.options.how == "loop":
                while True:
                    pass
            if self.options.how == "regex":
                re.match("(a+)+$", "a" * 60 + "b")
            return 42
    def request_head(self, context):
        return self._go("request_head")
    def response_head(self, context):
        return self._go("response_head")
    def log(self, context, record):
        return self._go("log")

class Counts(Plugin[NoOptions]):
    name = "counts"
    counted = ("seen",)
    life = []
    async def start(self):
        self.life.append("start")
    async def close(self):
        self.life.append("close")
    def log(self, context, record):
        self.count("seen")
        self.life.append((record.status, record.end_reason))
'''


def route(*plugins, folder, **more):
    return {"plugin_paths": [str(folder / "plugins")], "route": {"plugins": list(plugins)}, **more}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "several.py").write_text(PLUGINS)
    return tmp_path


@pytest.fixture
async def member():
    async with Member(answering(echo)) as member:
        yield member


def module_of(proxy, number=0):
    """The class of the first plugin of the route."""
    return type(proxy.worker.runtime.plugins.chains["all"].uses[number].plugin)


async def asked(folder, member, data, *plugins, method="GET"):
    async with (
        serving(folder, config(member.address, **route(*plugins, folder=folder))) as proxy,
        proxy.client() as client,
    ):
        return await client.ask(data, method)


async def test_requests_pass_in_file_order_and_responses_in_reverse(folder, member):
    reply = await asked(folder, member, get(), {"tag": {"tag": "1"}}, {"tag": {"tag": "2"}})
    assert (member.requests[0][b"x-order"], reply[b"x-order"]) == (b"12", b"21")


async def test_an_answer_passes_only_the_plugins_before_it(folder, member):
    tags = [{"tag": {"tag": "1"}}, {"tag": {"tag": "2", "answer": True}}, {"tag": {"tag": "3"}}]
    reply = await asked(folder, member, get(), *tags)
    assert (reply.status, reply[b"x-by"], reply[b"x-order"], reply.body) == (403, b"2", b"1", b"no\n")
    assert member.requests == []


async def test_an_answer_shows_in_the_log_as_denied(folder, member):
    plugins = route({"tag": {"answer": True}}, folder=folder)
    async with serving(folder, config(member.address, **plugins)) as proxy, proxy.client() as client:
        await client.ask(get())
        assert proxy.access_log()[0]["end_reason"] == "denied"
        assert proxy.worker.runtime.plugins.chains["all"].uses[0].stops == 1


@pytest.mark.parametrize("data", [post(b"a-body"), chunked(b"a-", b"body")])
async def test_content_passes_piece_by_piece(folder, member, data):
    reply = await asked(folder, member, data, "pieces")
    assert member.requests[0].body == b"bb-body!"
    assert reply.body.endswith(b"?")
    assert b"a" not in reply.body


@pytest.mark.parametrize("data", [post(b"content"), chunked(b"con", b"tent")])
async def test_content_in_whole_reaches_the_member_with_its_length(folder, member, data):
    reply = await asked(folder, member, data, "whole")
    assert member.requests[0].body == b"<content>"
    assert member.requests[0][b"content-length"] == b"9"
    assert (reply.body[:1], reply.body[-1:]) == (b"[", b"]")
    assert reply[b"content-length"] == str(len(reply.body)).encode()


async def test_content_in_whole_is_judged_before_a_member_is_asked(folder, member):
    reply = await asked(folder, member, chunked(b"att", b"ack"), "whole")
    assert (reply.status, reply.body, member.requests) == (403, b"blocked", [])


@pytest.mark.parametrize("data", [post(b"x" * 1001), chunked(b"x" * 600, b"x" * 600)])
async def test_request_content_over_the_limit_is_413(folder, member, data):
    reply = await asked(folder, member, data, "whole")
    assert (reply.status, member.requests) == (413, [])


async def test_who_waits_for_100_is_told_to_go_on_by_a_plugin_that_wants_the_content(folder, member):
    async with (
        serving(folder, config(member.address, **route("whole", folder=folder))) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/", "Content-Length: 2", "Expect: 100-continue", method="POST"))
        assert (await client.reply()).status == 100
        assert (await client.ask(b"ok")).status == 200
    assert member.requests[0].body == b"<ok>"


async def test_a_whole_response_may_be_replaced(folder, member):
    reply = await asked(folder, member, get("/secret"), "whole")
    assert (reply.status, reply.body) == (502, b"withheld")


async def test_a_response_over_the_limit_fails_closed(folder):
    async with Member(answering(response(body=b"x" * 1001))) as member:
        reply = await asked(folder, member, get(), "whole")
    assert (reply.status, b"x" * 9 in reply.body) == (500, False)


async def test_a_response_over_the_limit_passes_untouched_if_it_fails_open(folder):
    async with Member(answering(response(body=b"x" * 300_000))) as member:
        reply = await asked(folder, member, get(), {"whole": {"on_error": "fail_open"}})
    assert (reply.status, reply.body) == (200, b"x" * 300_000)


async def test_head_and_304_have_no_content_for_a_phase(folder):
    async with Member(answering(response(b"", "ETag: x", status=304, length=False))) as member:
        reply = await asked(folder, member, get(), "whole")
        assert (reply.status, reply.body) == (304, b"")


async def test_async_phases_see_both_directions(folder, member):
    reply = await asked(folder, member, chunked(b"a", b"bc" * 50_000), "slow")
    assert member.requests[0].body == b"A" + b"BC" * 50_000
    assert (member.requests[0][b"x-slow"], reply[b"x-slow"]) == (b"1", b"1")
    assert reply.body.startswith(b"post / http")


async def test_async_and_plain_phases_keep_their_order(folder, member):
    await asked(folder, member, post(b"a"), "pieces", "slow", "whole")
    assert member.requests[0].body == b"<BB!>"


async def test_large_content_passes_async_phases_whole(folder):
    body = b"abc" * 700_000
    async with Member(answering(response(body=body))) as member:
        reply = await asked(folder, member, post(body), "slow")
        assert reply.body == body.swapcase()
        assert member.requests[0].body == body.upper()


async def test_an_async_phase_ends_with_its_exchange(folder, member):
    async with serving(folder, config(member.address, **route("never", folder=folder))) as proxy:
        async with proxy.client() as client:
            await client.send(get())
            while not proxy.listener.service.active:
                await asyncio.sleep(0.01)
        await within(module_of(proxy).cancelled.wait())


async def test_an_async_phase_over_its_timeout_fails(folder, member):
    reply = await asked(folder, member, get(), {"never": {"timeout": "20ms"}})
    assert (reply.status, member.requests) == (500, [])


@pytest.mark.parametrize("phase", ["request_head", "response_head"])
@pytest.mark.parametrize("how", ["raise", "loop", "regex", "nonsense"])
async def test_a_plugin_that_fails_closed_costs_one_exchange(folder, member, phase, how):
    plugins = route({"bad": {"phase": phase, "how": how, "budget": "50ms"}}, folder=folder)
    async with serving(folder, config(member.address, **plugins)) as proxy, proxy.client() as client:
        reply = await client.ask(get())
        assert reply.status == 500
        assert b"private" not in reply.raw
        assert proxy.access_log()[0]["end_reason"] == "plugin_error"
        assert "plugin=bad" in proxy.error_log()
        ((key, number),) = proxy.worker.runtime.plugins.chains["all"].uses[0].errors.items()
        assert (key[0], number) == (phase, 1)


@pytest.mark.parametrize("how", ["raise", "loop"])
@pytest.mark.parametrize("phase", ["request_head", "response_head"])
async def test_a_plugin_that_fails_open_is_passed_by(folder, member, phase, how):
    bad = {"bad": {"phase": phase, "how": how, "budget": "50ms", "on_error": "fail_open"}}
    reply = await asked(folder, member, get(), bad)
    assert reply.status == 200


async def test_a_log_phase_that_fails_harms_nobody(folder, member):
    plugins = route({"bad": {"phase": "log"}}, folder=folder)
    async with serving(folder, config(member.address, **plugins)) as proxy, proxy.client() as client:
        assert [(await client.ask(get())).status for _ in range(2)] == [200, 200]
        assert proxy.worker.runtime.plugins.chains["all"].uses[0].errors == {("log", "error"): 2}


async def test_counters_are_metrics_of_the_route(folder, member):
    async with (
        serving(folder, config(member.address, **route("counts", folder=folder))) as proxy,
        proxy.client() as client,
    ):
        await client.ask(get())
        samples = {(name, labels): value for name, labels, value in proxy.worker.samples()}
        assert samples["adc_plugin_counter_total", ("all", "counts", "seen")] == 1


async def test_start_comes_first_and_close_after_the_last_exchange(folder, member):
    async with serving(folder, config(member.address, **route("counts", folder=folder))) as proxy:
        life = module_of(proxy).life
        async with proxy.client() as client:
            await client.ask(get())
    assert life == ["start", (200, "-"), "close"]


async def test_a_reload_brings_the_new_text_and_lets_the_old_finish(folder, member):
    async with serving(folder, config(member.address, **route("counts", folder=folder))) as proxy:
        old, life = module_of(proxy), module_of(proxy).life
        file = folder / "plugins" / "several.py"
        file.write_text(PLUGINS.replace('"start"', '"START"'))
        await proxy.prepare()
        await proxy.worker.commit()
        assert module_of(proxy) is not old
        assert module_of(proxy).life == ["START"]
        await asyncio.sleep(0.01)
        assert life == ["start", "close"]
        async with proxy.client() as client:
            assert (await client.ask(get())).status == 200


async def test_an_old_plugin_is_closed_only_after_its_exchanges(folder):
    go = asyncio.Event()

    async def script(conversation):
        await conversation.request()
        await go.wait()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with (
        Member(script) as member,
        serving(folder, config(member.address, **route("counts", folder=folder))) as proxy,
        proxy.client() as client,
    ):
        life = module_of(proxy).life
        await client.send(get())
        while not member.requests:
            await asyncio.sleep(0.01)
        await proxy.prepare()
        await proxy.worker.commit()
        await asyncio.sleep(0.01)
        assert life == ["start"]
        go.set()
        await client.reply()
        await asyncio.sleep(0.01)
        assert life == ["start", (200, "-"), "close"]


async def test_a_plugin_that_cannot_be_built_leaves_the_old_configuration(folder, member):
    async with serving(folder, config(member.address, **route("counts", folder=folder))) as proxy:
        before = proxy.worker.runtime
        (folder / "plugins" / "several.py").write_text("this is no python")
        with pytest.raises(BuildError, match=r"several\.py"):
            await proxy.prepare()
        assert proxy.worker.runtime is before


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        ("taag", "route all: plugin taag: there is no such plugin; did you mean tag"),
        ({"tag": {"tga": "1"}}, "route all: plugin tag: tga: unknown option; did you mean tag"),
        ({"tag": {"wait": "often"}}, "route all: plugin tag: wait: .*bool"),
        ({"tag": {"on_error": "shrug"}}, "plugin tag: on_error: is neither"),
        ({"tag": {"budget": "1 year"}}, "plugin tag: budget: not a duration"),
    ],
)
def test_what_is_wrong_with_a_plugin_names_route_and_key(folder, plugin, message):
    file = folder / "adc.yaml"
    file.write_text(yaml.safe_dump(config("127.0.0.1:1", **route(plugin, folder=folder))))
    with pytest.raises(BuildError, match=message):
        Runtime(load(file).config, Random(1))


async def test_security_headers_are_added_where_the_application_has_none(folder):
    answer = response(b"ok", "X-Frame-Options: DENY", "Server: old/1.0")
    async with Member(answering(answer)) as member:
        reply = await asked(folder, member, get(), "security_headers")
    assert reply[b"x-frame-options"] == b"DENY"
    assert reply[b"x-content-type-options"] == b"nosniff"
    assert b"server" not in reply


async def test_an_upgrade_passes_the_heads_and_then_is_left_alone(folder):
    async def script(conversation):
        await conversation.head()
        await conversation.send(
            b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
        await conversation.send(await conversation.some())

    async with (
        Member(script) as member,
        serving(folder, config(member.address, **route("whole", "pieces", folder=folder))) as proxy,
        proxy.client() as client,
    ):
        reply = await client.ask(get("/", "Connection: upgrade", "Upgrade: websocket"))
        assert reply.status == 101
        await client.send(b"aaa")
        assert await client.exactly(3) == b"aaa"


async def test_a_slow_reader_stops_a_response_through_async_phases(folder):
    body = b"x" * (8 << 20)
    async with Member(answering(response(body=body))) as member:
        plugins = route("slow", folder=folder)
        async with (
            serving(folder, config(member.address, **plugins)) as proxy,
            proxy.client(receive_buffer=4096) as client,
        ):
            await client.send(get())
            async with asyncio.timeout(5):
                while not any(each.phase == "client_write" for each in proxy.listener.service.active):
                    await asyncio.sleep(0.01)
            (exchange,) = proxy.listener.service.active
            before = exchange.bytes_out
            for _ in range(10):
                await asyncio.sleep(0.01)
            assert exchange.bytes_out - before <= 1 << 20
            assert (await client.reply()).body == body.swapcase()


@pytest.mark.parametrize("plugins", [["tag", "whole", "pieces"], ["slow"], [{"tag": {"answer": True}}]])
async def test_exchanges_leave_no_reference_cycle_behind(folder, member, plugins):
    async with (
        serving(folder, config(member.address, **route(*plugins, folder=folder))) as proxy,
        proxy.client() as client,
    ):
        gc.collect()
        gc.disable()
        try:
            for _ in range(3):
                await client.ask(post(b"content"))
            left = [each for each in gc.get_objects() if type(each).__name__ in ("PluginRun", "Exchange")]
        finally:
            gc.enable()
        assert left == []


async def test_content_that_nobody_read_does_not_become_the_next_request(folder, member):
    async with (
        serving(folder, config(member.address, **route({"tag": {"answer": True}}, folder=folder))) as proxy,
        proxy.client() as client,
    ):
        await client.send(get("/", "Content-Length: 500", method="POST"))
        reply = await client.reply()
        assert (reply.status, reply[b"connection"]) == (403, b"close")


async def test_a_slow_member_stops_a_request_through_async_phases(folder):
    go = asyncio.Event()

    async def script(conversation):
        await conversation.head()
        await go.wait()
        end = b""
        while not end.endswith(b"0\r\n\r\n"):
            end = (end + await conversation.some())[-5:]
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with (
        Member(script, receive_buffer=4096) as member,
        serving(folder, config(member.address, **route("slow", folder=folder))) as proxy,
        proxy.client() as client,
    ):
        sending = asyncio.ensure_future(client.send(post(b"x" * (8 << 20))))
        async with asyncio.timeout(20):
            while not any(each.plugins.member_blocked for each in proxy.listener.service.active):
                await asyncio.sleep(0.01)
        (exchange,) = proxy.listener.service.active
        before = exchange.bytes_in
        for _ in range(10):
            await asyncio.sleep(0.01)
        assert exchange.bytes_in - before <= 1 << 20
        go.set()
        await sending
        assert (await client.reply()).status == 200


async def test_a_member_that_breaks_off_a_held_response_is_an_error_and_no_half_response(folder):
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"

    async def script(conversation):
        await conversation.request()
        await conversation.send(cut)

    async with Member(script) as member:
        reply = await asked(folder, member, post(b"x"), "whole")
    assert (reply.status, b"half" in reply.body) == (502, False)


async def calls_of_the_proxy(folder, *plugins):
    """How often each function of adc is called for one request on a connection that is warm."""
    route_of = {"route": {"pool": None, "respond": {"status": 200}, "plugins": list(plugins)}}
    mapping = config("127.0.0.1:1", plugin_paths=[str(folder / "plugins")], **route_of)
    del mapping["routes"][0]["pool"]
    counted = Counter()

    def count(frame, event, argument):
        code = frame.f_code
        if event == "call" and "/adc/" in code.co_filename and "tick" not in code.co_name:
            counted[code.co_filename.rpartition("/adc/")[2], code.co_name] += 1

    async with serving(folder, mapping) as proxy, proxy.client() as client:
        await client.ask(get())
        sys.setprofile(count)
        try:
            await client.ask(get())
        finally:
            sys.setprofile(None)
    return {key: number for key, number in counted.items() if key[0].startswith(("plugin/", "proxy/"))}


async def test_a_route_without_plugin_phases_has_no_trace_of_plugins(folder):
    (folder / "plugins" / "idle.py").write_text(
        "from adc.plugin import NoOptions, Plugin\n\n\nclass Idle(Plugin[NoOptions]):\n    pass\n"
    )
    plain = await calls_of_the_proxy(folder)
    assert plain
    assert not [file for file, _ in plain if "plugin" in file]
    assert await calls_of_the_proxy(folder, "idle", "idle") == plain
    assert [file for file, _ in await calls_of_the_proxy(folder, "tag") if "plugin" in file]
