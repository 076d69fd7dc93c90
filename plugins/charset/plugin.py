"""Pages of old applications in the charset of today's clients, and their forms back."""

from __future__ import annotations

from adc_plugins.charset.content_type import declared_by, kind_of, language_of, with_label
from adc_plugins.charset.conversion import Aims, Conversion
from adc_plugins.charset.forms import Forms, is_form
from adc_plugins.charset.options import CharsetOptions, charset_of

from adc.plugin import Context, Headers, Host, Plugin, Request, Response, may_transform


class CharsetPlugin(Plugin[CharsetOptions]):
    """Converts responses to a charset, and everything that declares it; on request also query strings and forms."""

    transforms = cached = True

    def __init__(self, options: CharsetOptions) -> None:
        super().__init__(options)
        target = charset_of(options.to)
        self._aims = Aims(target, options.undecodable, charset_of(options.fallback), options.detect)
        self._label = target.name.encode()
        self._forced = options.forced
        self._covers = options.content_types.covers
        application = options.application
        self._forms = None if application is None else Forms(application)
        self.request_body_limit = options.form_limit
        if self._forms is None:
            self.unused = frozenset({"request_body"})
        if options.undecodable == "fail":
            self.response_body_limit = options.fail_limit

    async def start(self, host: Host) -> None:
        self._damaged = host.counter("undecodable", "Responses with bytes that are no character.")

    def request_head(self, context: Context) -> None:
        """Convert the query and the path."""
        request = context.request
        request.headers.remove(b"accept-charset")  # the client gets one charset, whatever the application has
        content_type = request.headers.get(b"content-type") or b""
        forms = self._forms
        if forms is None or b"content-encoding" in request.headers or not is_form(content_type):
            context.skip_request_body()
        else:
            context.state["form"] = content_type
            request.headers.set(b"Content-Type", forms.content_type(content_type))
        if forms is not None:
            self._convert_target(forms, request)

    def _convert_target(self, forms: Forms, request: Request) -> None:
        path, mark, query = request.target.partition("?")
        request.query = forms.query(query.encode()).decode()
        if self.options.paths:
            path = forms.path(path.encode()).decode()
            if request.plain:
                request.path = path
        request.target = f"{path}{mark}{request.query}"

    def request_body(self, context: Context, data: bytes, end: bool) -> bytes | None:
        """Convert a form."""
        if self._forms is None:
            return None
        return self._forms.content(context.state["form"], data)

    def response_head(self, context: Context) -> None:
        """Choose the responses to convert, and state their charset."""
        assert context.response is not None
        headers = context.response.headers
        content_type = headers.get(b"content-type")
        if content_type is None or not self._covers(content_type) or not may_transform(headers):
            context.skip_response_body()
            return
        declared = self._forced or declared_by(content_type)
        if declared == self._aims.target:
            context.skip_response_body()
            return
        headers.set(b"Content-Type", with_label(content_type, self._label))
        _drop_accept_charset(headers)
        context.state["conversion"] = Conversion(
            self._aims, declared, kind_of(content_type), language_of(content_type)
        )

    def response_body(self, context: Context, data: bytes, end: bool) -> bytes | Response:
        """Convert the next chunk."""
        conversion: Conversion = context.state["conversion"]
        try:
            made = conversion.feed(data, end)
        except UnicodeDecodeError as error:
            self._damaged.add()
            context.warn("the content is not in its charset", charset=error.encoding, reason=error.reason)
            return Response(502, error_page=True)
        if end and conversion.damaged and conversion.source is not None:
            self._damaged.add()
            context.warn("bytes that are no character were replaced", charset=conversion.source.name)
        return made


def _drop_accept_charset(headers: Headers) -> None:
    """Take Accept-Charset out of Vary: the response no longer depends on it."""
    vary = headers.joined(b"vary")
    if vary is None or b"accept-charset" not in vary.lower():
        return
    names = [name.strip() for name in vary.split(b",")]
    headers.remove(b"vary")
    kept = [name for name in names if name.lower() != b"accept-charset"]
    if kept:
        headers.add(b"Vary", b", ".join(kept))
