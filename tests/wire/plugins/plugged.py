"""A route with plugins that show what they are given."""

from tests.kit.proxy import config, serving

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

class Reads(Plugin[NoOptions]):
    """Reads content in whole, both ways, and changes nothing."""
    name = "reads"
    request_body_limit = response_body_limit = 1000
    def request_body(self, context, data, end):
        return None
    def response_body(self, context, data, end):
        return None

@dataclass(frozen=True)
class BeginsOptions:
    most: int = 10
    observes: bool = False
    wait: bool = False
    replace: bool = False

class Begins(Plugin[BeginsOptions]):
    """Inspects the beginning of content, both ways."""
    name = "begins"
    def __init__(self, options):
        super().__init__(options)
        self.request_body_inspect = self.response_body_inspect = options.most
        self.observes = options.observes
        self.seen = []
    def _judge(self, way, data, end):
        self.seen.append((way, data, end))
        if b"attack" in data:
            return Response(403, {}, "blocked")
        if b"raise" in data:
            raise RuntimeError
        return b"<" + data + b">" if self.options.replace else None
    def request_body(self, context, data, end):
        return self._judge("request", data, end)
    def response_body(self, context, data, end):
        return self._judge("response", data, end)

class BeginsLater(Begins):
    """The same, awaiting something."""
    name = "begins_later"
    async def request_body(self, context, data, end):
        await asyncio.sleep(0.001)
        return self._judge("request", data, end)
    async def response_body(self, context, data, end):
        await asyncio.sleep(0.001)
        return self._judge("response", data, end)

@dataclass(frozen=True)
class RefusesOptions:
    status: int = 403
    abort: bool = False
    phase: str = "request_head"

class Refuses(Plugin[RefusesOptions]):
    """Responds with the error page of adc, or not at all."""
    name = "refuses"
    def _go(self, phase):
        if phase == self.options.phase:
            page = not self.options.abort
            return Response(self.options.status, {"X-By": "refuses"}, error_page=page, abort=self.options.abort)
    def request_head(self, context):
        return self._go("request_head")
    def response_head(self, context):
        return self._go("response_head")

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
    life = []
    async def start(self, host):
        self.seen = host.counter("seen", "Exchanges.")
        self.life.append("start")
    async def close(self):
        self.life.append("close")
    def log(self, context, record):
        self.seen.add()
        self.life.append((record.status, record.end_reason))
'''


def plugin_folder(folder):
    """Return `folder`, with the plugins in it."""
    (folder / "plugins").mkdir()
    (folder / "plugins" / "several.py").write_text(PLUGINS)
    return folder


def route(*plugins, folder, **more):
    """The parts of a configuration whose route has `plugins`."""
    return {"plugin_paths": [str(folder / "plugins")], "route": {"plugins": list(plugins)}, **more}


def plugin_of(proxy, number=0):
    """A plugin of the route."""
    return proxy.worker.runtime.plugins.chains["all"].uses[number].plugin


def module_of(proxy, number=0):
    """The class of the first plugin of the route."""
    return type(proxy.worker.runtime.plugins.chains["all"].uses[number].plugin)


async def asked(folder, member, data, *plugins, method="GET"):
    """What a client gets that sends `data` through `plugins`."""
    async with (
        serving(folder, config(member.address, **route(*plugins, folder=folder))) as proxy,
        proxy.client() as client,
    ):
        return await client.ask(data, method)
