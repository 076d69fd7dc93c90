"""The class that plugins derive from."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin

from adc.plugin.context import Context
from adc.plugin.response import Response
from adc.telemetry.record import LogRecord


@dataclass(frozen=True)
class NoOptions:
    """For plugins without options."""


OptionsT = TypeVar("OptionsT")


class Plugin(Generic[OptionsT]):
    """A plugin: `class Hello(Plugin[HelloOptions])`, its options a frozen dataclass or a pydantic model.

    One instance serves one use in one route. Its life: it is made with checked options (`__init__` may check
    more and raise ValueError: the configuration is then refused), `start` is awaited before the route
    serves, `close` after its last exchange is over.

    Define any of the phases, each as `def` or `async def`; those left alone cost nothing. Requests pass the
    plugins of a route in file order, responses in reverse. What a phase returns:

    * a `Response` stops the exchange: it goes to the client through the response phases of the plugins
      before this one in the file;
    * bytes, from a body phase, take the place of the content it was given;
    * None lets everything go on as it is.
    """

    options_type: ClassVar[type[Any]] = NoOptions

    name: ClassVar[str] = ""
    """Name in configurations; the module's name for plugins of a folder, the entry point's for installed
    ones."""

    counted: ClassVar[tuple[str, ...]] = ()
    """Names of the counters this plugin keeps with `count`; they are metrics of the route."""

    request_body_limit: int | None = None
    """None: `request_body` sees content piece by piece. A number: it is called once, with the whole content,
    and a request with more bytes than that is answered with 413. May be set in `__init__`."""

    response_body_limit: int | None = None
    """The same for `response_body`; a larger response fails as `on_error` says."""

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        for base in getattr(cls, "__orig_bases__", ()):
            if get_origin(base) is Plugin and not isinstance(get_args(base)[0], TypeVar):
                cls.options_type = get_args(base)[0]

    def __init__(self, options: OptionsT) -> None:
        self.options = options
        self.counters = dict.fromkeys(self.counted, 0)

    async def start(self) -> None:
        """Open what the phases need. An exception refuses the configuration."""

    async def close(self) -> None:
        """Let go of what `start` opened."""

    def count(self, counter: str, by: int = 1) -> None:
        """Add to a counter of `counted`. Raises KeyError for any other name."""
        self.counters[counter] += by

    def request_head(self, context: Context) -> Response | Awaitable[Response | None] | None:
        """The request head is here: look at it, change its fields, or answer."""

    def request_body(
        self, context: Context, data: bytes, end: bool
    ) -> bytes | Response | Awaitable[bytes | Response | None] | None:
        """Request content, whole or a piece (`end` with the last, which may be empty).

        Not called for requests without content or that switch protocols. Content in whole is seen before a
        member is asked.
        """

    def response_head(self, context: Context) -> Response | Awaitable[Response | None] | None:
        """The response head of the member, the cache or an action is here, as `context.response`.

        Error pages made by adc itself do not pass.
        """

    def response_body(
        self, context: Context, data: bytes, end: bool
    ) -> bytes | Response | Awaitable[bytes | Response | None] | None:
        """Response content, whole or a piece; only content in whole may still be replaced by a `Response`.

        Not called where there is no content (HEAD, 204, 304), nor after `context.skip_response_body()`.
        """

    def log(self, context: Context, record: LogRecord) -> Awaitable[None] | None:
        """The exchange is over; `record` tells status, bytes, times and how it ended."""


PHASES = ("request_head", "request_body", "response_head", "response_body", "log")


def defined_phases(plugin: type[Plugin[Any]]) -> tuple[str, ...]:
    """The phases that `plugin` really defines."""
    return tuple(phase for phase in PHASES if getattr(plugin, phase) is not getattr(Plugin, phase))
