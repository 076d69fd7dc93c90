"""Plugins that change content in the ways that differ for the proxy."""

TRANSFORMS = '''
import asyncio
from dataclasses import dataclass
from adc.plugin import Context, Plugin, Response

@dataclass(frozen=True)
class UpperOptions:
    cached: bool = False
    whole: bool = False
    skip: str = ""
    wait: bool = False
    word: str = ""

class Upper(Plugin[UpperOptions]):
    """Sends text in capital letters, in chunks or in whole; `skip` names the phase in which it withdraws."""
    name = "upper"
    transforms = True
    def __init__(self, options):
        super().__init__(options)
        self.cached = options.cached
        self.calls = []
        self.seen = []
        if options.whole:
            self.response_body_limit = 1 << 20
    def request_head(self, context):
        headers = context.request.headers
        self.calls.append("request_head")
        context.state["mark"] = headers.get(b"x-mark") or b""
        if headers.get(b"x-mark"):
            context.vary_cache(headers.get(b"x-mark"))
        if self.options.skip == "request":
            context.skip_response_body()
    def response_head(self, context):
        self.calls.append("response_head")
        headers = context.response.headers
        headers.set(b"X-Upper", b"%d" % (int(headers.get(b"x-upper") or b"0") + 1))
        if self.options.skip == "response" or headers.get(b"content-type") == b"image/png":
            context.skip_response_body()
    def response_body(self, context, data, end):
        self.seen.append(data)
        if self.options.word and self.options.word.encode() in data:
            return Response(502, {}, "withheld") if self.options.whole else b""
        return data.upper() + context.state["mark"] * end

class Versioned(Upper):
    """The same; its results depend on a file, which `word` names."""
    name = "versioned"
    def __init__(self, options):
        super().__init__(options)
        with open(options.word) as file:
            self.cache_version = file.read()

class UpperLater(Upper):
    """The same, awaiting something in each phase."""
    name = "upper_later"
    async def response_head(self, context):
        await asyncio.sleep(0)
        Upper.response_head(self, context)
    async def response_body(self, context, data, end):
        await asyncio.sleep(0)
        return Upper.response_body(self, context, data, end)

@dataclass(frozen=True)
class AppendsOptions:
    text: str = "a"
    cached: bool = False

class Appends(Plugin[AppendsOptions]):
    """Adds a text to the content, so that the order shows."""
    name = "appends"
    transforms = True
    def __init__(self, options):
        super().__init__(options)
        self.cached = options.cached
    def response_body(self, context, data, end):
        return data + self.options.text.encode() * end

@dataclass(frozen=True)
class ShutsOptions:
    phase: str = "response_head"
    cached: bool = True
    how: str = "page"

class Shuts(Plugin[ShutsOptions]):
    """Answers instead of the member, fails, or breaks off."""
    name = "shuts"
    response_body_limit = 1 << 20
    def __init__(self, options):
        super().__init__(options)
        self.cached = options.cached
    def _go(self, phase):
        if phase != self.options.phase:
            return None
        if self.options.how == "raise":
            raise RuntimeError
        if self.options.how == "answer":
            return Response(403, {"Cache-Control": "max-age=60"}, "no")
        return Response(403, error_page=self.options.how == "page", abort=self.options.how == "abort")
    def response_head(self, context):
        return self._go("response_head")
    def response_body(self, context, data, end):
        return self._go("response_body")
'''


def transform_folder(folder):
    """Return `folder`, with the plugins in it."""
    (folder / "plugins").mkdir(exist_ok=True)
    (folder / "plugins" / "transforms.py").write_text(TRANSFORMS)
    return folder
