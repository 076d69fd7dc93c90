"""The class that plugins derive from."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin

from adc.plugin.admission import Admission
from adc.plugin.context import Context
from adc.plugin.host import Host
from adc.plugin.identity import IdentityFields
from adc.plugin.response import Response
from adc.telemetry.record import LogRecord


@dataclass(frozen=True)
class NoOptions:
    """The options of plugins without options."""


OptionsT = TypeVar("OptionsT")


class Plugin(Generic[OptionsT]):
    """A plugin: `class Hello(Plugin[HelloOptions])`, its options a frozen dataclass or a pydantic model.

    One instance serves one use in one route. `__init__` receives checked options; it may check more and raise
    ValueError, which refuses the configuration. `start` is awaited before the route serves, `close` after the last
    exchange is over.

    Define any of the phases, each as `def` or `async def`; undefined phases cost nothing. A head phase may be a `def`
    that returns a coroutine where it has to wait: then exchanges that do not wait need no task. Requests pass the
    plugins of a route in file order, responses in reverse. A phase returns:

    * a `Response` to stop the exchange: it goes to the client through the response phases of the plugins
      before this one in the file;
    * bytes, from a body phase, to replace the content it was given;
    * None to let everything pass unchanged.
    """

    options_type: ClassVar[type[Any]] = NoOptions

    name: ClassVar[str] = ""
    """Name in configurations; the module's name for plugins of a folder, the entry point's for installed
    ones."""

    default_timeout: ClassVar[float] = 5.0
    """Seconds that one call of an `async def` phase may take unless the configuration says otherwise (`timeout`)."""

    request_body_limit: int | None = None
    """None: `request_body` receives content chunk by chunk. A number: it is called once, with the whole content,
    and a request with more bytes than that is answered with 413. May be set in `__init__` or `start`."""

    response_body_limit: int | None = None
    """The same for `response_body`; a larger response fails as `on_error` says, unless `passes_larger` is True."""

    passes_larger: bool = False
    """True: a response over `response_body_limit` passes `response_body` by unchanged. May be set in `__init__`."""

    request_body_inspect: int | None = None
    """A number: `request_body` is called exactly once, with the first bytes of the content up to that many, and `end`
    if that is all of it. Nothing reaches a member before; what follows streams past the phase. It is called with b""
    for a request without content. Not together with `request_body_limit`."""

    response_body_inspect: int | None = None
    """The same for `response_body`."""

    observes: bool = False
    """True: the plugin only watches. What its phases return is dropped, its failures count as `fail_open`, and content
    passes while it is collected for `request_body_inspect` and `response_body_inspect`. May be set in `__init__`."""

    checks: bool = False
    """True: the body phases never change content: they return None or a `Response`. Its length, digests and coding stay
    as they are although it is checked chunk by chunk, and no member is connected before the first chunk of a request
    has passed. May be set in `__init__`."""

    transforms: bool = False
    """True: `response_body` replaces content. The proxy then asks the member for whole, plain content, and decodes what
    comes coded, so that the phase never sees a part or a coding. The entity tag becomes weak, and digests,
    `Accept-Ranges` and the length of the original go. A response for which the plugin calls
    `Context.skip_response_body` stays as it is. May be set in `__init__`."""

    cached: bool = False
    """True: the response phases run between the member and the cache of the route, so that their result is stored. A
    hit does not pass them. Without a cache they run as those of other plugins. May be set in `__init__`."""

    cache_version: str = ""
    """With `cached`: what stored results depend on besides the options, such as a digest of the files that these name.
    Results of another version are not used any more. May be set in `__init__`."""

    error_pages: bool = False
    """True: `response_head` is called for error pages of adc itself too, such as a 502. There it must be `def`, may run
    without `request_head` before it, and only changes fields: what it returns is dropped. May be set in `__init__`."""

    identity: IdentityFields | None = None
    """Fields that only the plugin may write for the member. It clears them in `request_head`; trailers of a client that
    have their names are dropped. May be set in `__init__`."""

    admission: Admission | None = None
    """Admits requests without a call of `request_head`, which decides on all others. For a plugin that counts requests:
    what it admits must be admitted by `request_head` too. Set in `start`."""

    unused: frozenset[str] = frozenset()
    """Names of phases that are defined but not compiled into the route. May be set in `__init__`."""

    disabled: bool = False
    """True: no phase is compiled into the route, so the plugin costs nothing there. May be set in `__init__`."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        for base in getattr(cls, "__orig_bases__", ()):
            if get_origin(base) is Plugin and not isinstance(get_args(base)[0], TypeVar):
                cls.options_type = get_args(base)[0]

    def __init__(self, options: OptionsT) -> None:
        self.options = options

    async def start(self, host: Host) -> None:
        """Open what the phases need; declare tables, counters and gauges. An exception refuses the configuration, a
        ValueError with its text alone."""

    async def close(self) -> None:
        """Release what `start` opened. Tasks of `Host.spawn` have ended before; tables can still be used."""

    def request_head(self, context: Context) -> Response | Awaitable[Response | None] | None:
        """Inspect the request head, change its fields, or answer."""

    def request_body(
        self, context: Context, data: bytes, end: bool
    ) -> bytes | Response | Awaitable[bytes | Response | None] | None:
        """Inspect or replace request content: whole, its beginning, or a chunk (`end` with the last, which may be
        empty).

        Not called for requests without content or that switch protocols, except by `request_body_inspect`. Whole
        content, or its beginning, is inspected before a member is connected.
        """

    def response_head(self, context: Context) -> Response | Awaitable[Response | None] | None:
        """Inspect `context.response`, the head from the member, the cache or an action, change its fields, or replace
        the response.

        Not called for error pages made by adc itself, unless `error_pages` is True.
        """

    def response_body(
        self, context: Context, data: bytes, end: bool
    ) -> bytes | Response | Awaitable[bytes | Response | None] | None:
        """Inspect or replace response content: whole, its beginning, or a chunk. A chunk cannot be replaced by a
        `Response`.

        Not called where there is no content (HEAD, 204, 304), except by `response_body_inspect`, nor after
        `context.skip_response_body()`.
        """

    def warnings(self) -> Iterable[str]:
        """Return probable mistakes in the options or in what they name; `adc check` prints them. Called after
        `start`."""
        return ()

    def log(self, context: Context, record: LogRecord) -> Awaitable[None] | None:
        """Note the end of the exchange; `record` has status, bytes, times and the reason of the end."""


PHASES = ("request_head", "request_body", "response_head", "response_body", "log")


def defined_phases(plugin: type[Plugin[Any]]) -> tuple[str, ...]:
    """Return the phases that `plugin` defines itself."""
    return tuple(phase for phase in PHASES if getattr(plugin, phase) is not getattr(Plugin, phase))
