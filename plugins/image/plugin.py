"""Joins requests, variants and conversions."""

from __future__ import annotations

import asyncio
import re
from importlib.util import find_spec

from adc_plugins.image.convert import DONE, KEPT, OVERSIZED, Order, convert
from adc_plugins.image.metadata import stripped
from adc_plugins.image.options import ImageOptions
from adc_plugins.image.variant import Hints, Refused, Variant, without

from adc.plugin import (
    Context,
    Headers,
    Host,
    JobFailed,
    Plugin,
    PoolFull,
    Processes,
    Response,
    ResponseHead,
    may_transform,
    parse_preferences,
    parse_query,
)

_METHODS = frozenset({"GET", "HEAD"})
_IMAGE_NAME = re.compile(r"\.(?:jpe?g|png|webp|avif|gif|bmp)\Z", re.IGNORECASE).search
_HINTS = (b"Sec-CH-Width", b"Sec-CH-DPR", b"Save-Data")


class Image(Plugin[ImageOptions]):
    """Resizes images and converts them to formats that the client accepts."""

    transforms = cached = passes_larger = True
    default_timeout = 30.0

    def __init__(self, options: ImageOptions) -> None:
        super().__init__(options)
        if find_spec("PIL") is None:
            raise ValueError("pillow is not installed; install adc with its extra: pip install 'adc[images]'")
        self.response_body_limit = options.max_size
        self._sizes = options.sizes()
        self._removed = self._sizes.parameters
        self._most = (options.max_width, options.max_height)

    async def start(self, host: Host) -> None:
        options = self.options
        self._processes: Processes = host.processes(
            options.processes, options.queue, memory=options.memory, seconds=options.wait, nice=options.nice
        )
        self._converted = host.counter("converted", "Images converted.")
        self._kept = host.counter("kept", "Images left as they are: animated, or smaller than the result.")
        self._busy = host.counter("busy", "Images not converted for lack of a free process.")
        self._broken = host.counter("broken", "Images that could not be decoded.")
        self._oversized = host.counter("oversized", "Images with too many pixels.")

    def request_head(self, context: Context) -> Response | None:
        """Settle the variant, and give the request the normal form of what it depends on."""
        request, options = context.request, self.options
        if request.method not in _METHODS:
            context.skip_response_body()
            return None
        accepted = _accepted(request.headers, options.formats)
        try:
            variant = self._sizes.variant(
                parse_query(request.query), self._hints(request.headers), accepted, options.save_data_quality
            )
        except Refused as refused:
            context.warn(str(refused))
            return Response(400, error_page=True, reason="bad_request")
        context.state["variant"] = variant
        context.vary_cache(variant.mark)
        if request.query:
            context.set_query(
                without(request.query, self._removed, variant if options.forward_parameters else None)
            )
        if _IMAGE_NAME(request.path) or _asks_for_image(request.headers):
            self._normalise(request.headers, variant)
        return None

    def _hints(self, headers: Headers) -> Hints:
        if not self.options.client_hints:
            return Hints()
        width, ratio = headers.get(b"sec-ch-width") or b"", headers.get(b"sec-ch-dpr") or b""
        save = (headers.get(b"save-data") or b"").strip().lower() == b"on"
        return Hints(width.decode("latin-1"), ratio.decode("latin-1"), save)

    def _normalise(self, headers: Headers, variant: Variant) -> None:
        """Let all clients that get this variant send the same fields, so that the cache takes them for the same."""
        if self.options.formats:
            accepted = f"image/{variant.format},image/*,*/*;q=0.8" if variant.format else "image/*,*/*;q=0.8"
            headers.set(b"Accept", accepted.encode())
        if self.options.client_hints:
            headers.remove(*(name.lower() for name in _HINTS))

    def response_head(self, context: Context) -> None:
        """Skip what is no image, and what must not be changed."""
        response, variant = context.response, context.state.get("variant")
        if response is None or variant is None:
            return
        headers = response.headers
        content_type = headers.get(b"content-type") or b""
        if response.status != 304 and not self.options.content_types.covers(content_type):
            context.skip_response_body()
            return
        self._vary(headers)
        if response.status == 304:
            return
        if (
            response.status != 200
            or not may_transform(headers)
            or response.body_length > self.options.max_size
        ):
            context.skip_response_body()
        elif context.request.method == "HEAD" and variant.format:
            headers.set(b"Content-Type", f"image/{variant.format}".encode())

    def _vary(self, headers: Headers) -> None:
        names = [b"Accept"] if self.options.formats else []
        if self.options.client_hints:
            names += _HINTS
        known = (headers.joined(b"vary") or b"").lower()
        missing = [name for name in names if name.lower() not in known.replace(b",", b" ").split()]
        if missing:
            headers.add(b"Vary", b", ".join(missing))

    async def response_body(self, context: Context, data: bytes, end: bool) -> bytes | Response | None:
        """Convert the image."""
        response, variant, options = context.response, context.state["variant"], self.options
        assert response is not None
        strip = options.metadata == "strip"
        try:
            async with asyncio.timeout(options.wait):
                outcome, content_type, content = await self._processes.run(
                    convert, data, *self._order(variant)
                )
        except (PoolFull, TimeoutError) as error:
            self._busy.add()
            if options.on_busy == "reject":
                return Response(503, {"Retry-After": "1"}, error_page=True, reason="overload")
            return self._as_it_is(
                context, response.headers, data, str(error) or "no process was free in time"
            )
        except JobFailed as error:
            self._broken.add()
            if options.on_broken == "reject":
                return self._refused(context, str(error))
            return self._as_it_is(context, response.headers, data, str(error))
        if outcome == DONE:
            self._converted.add()
            _name(response, content_type)
            return content
        if outcome == KEPT:
            self._kept.add()
            return content or None
        (self._oversized if outcome == OVERSIZED else self._broken).add()
        policy = options.on_oversized if outcome == OVERSIZED else options.on_broken
        detail = "the image has too many pixels" if outcome == OVERSIZED else "the image cannot be decoded"
        if policy == "reject":
            return self._refused(context, detail)
        context.warn(detail)
        return stripped(data) if strip else None

    def _order(self, variant: Variant) -> Order:
        options = self.options
        return Order(
            variant.format,
            (variant.width, variant.height),
            self._most,
            variant.fit,
            variant.quality,
            options.max_pixels,
            options.metadata == "strip",
            options.colors == "srgb",
        )

    def _as_it_is(self, context: Context, headers: Headers, data: bytes, detail: str) -> bytes:
        """Return the image unconverted for now: nothing may keep it."""
        context.warn("the image was not converted", reason=detail)
        headers.remove(b"expires", b"cdn-cache-control", b"surrogate-control")
        headers.set(b"Cache-Control", b"no-store")
        return stripped(data) if self.options.metadata == "strip" else data

    def _refused(self, context: Context, detail: str) -> Response:
        context.warn(detail)
        return Response(502, error_page=True, reason="bad_response")


def _accepted(headers: Headers, formats: tuple[str, ...]) -> str:
    """Return the first of `formats` that the client names, "" for none. Old clients say `*/*` and mean less."""
    value = headers.joined(b"accept")
    if not value or not formats:
        return ""
    named = {each.value for each in parse_preferences(value) if each.quality > 0}
    return next((each for each in formats if f"image/{each}" in named), "")


def _asks_for_image(headers: Headers) -> bool:
    """True if the client accepts images and nothing else by name."""
    value = headers.joined(b"accept")
    if not value:
        return False
    named = [each.value for each in parse_preferences(value)]
    return any(each.startswith("image/") for each in named) and all(
        each.startswith(("image/", "video/")) or each == "*/*" for each in named
    )


def _name(response: ResponseHead, content_type: str) -> None:
    response.headers.set(b"Content-Type", content_type.encode())
