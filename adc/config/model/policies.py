"""Policies of a route: cache, compression, timeouts, retries, size limits, plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from adc.config.model.base import Finding, Forms, Part
from adc.config.model.types import (
    LISTED,
    CookieName,
    FieldName,
    FieldNames,
    Flag,
    Name,
    Networks,
    Text,
    Texts,
    byte_size,
    duration,
    one_of,
    share,
    text_of,
    whole,
)
from adc.pools.errors import RETRY_WORDS

DEFAULT_STORE = "default"
"""The cache that `cache: true` uses; it exists with default sizes when no `caches` entry has that name."""


class QueryKey(Part):
    """Query parameters in the cache key, and their order."""

    ignore: Texts = Field((), description="Parameters left out of the key; a name may end in * (utm_*).")
    only: Texts | None = Field(None, description="The only parameters in the key; all by default.")
    sort: Flag = Field(False, description="Sort parameters, so that their order does not matter.")

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if "ignore" in written and "only" in written:
            yield ("only",), "query has either ignore or only, not both"


CookiePattern = Annotated[
    str,
    text_of(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", "a cookie name, in which * stands for any characters (_ga_*)"),
]
CookiePatterns = Annotated[tuple[CookiePattern, ...], LISTED]


class VaryCookies(Part):
    """Cookies that count in `Vary: Cookie` or in the key."""

    ignore: CookiePatterns = Field(
        (),
        description="Cookies that are ignored, such as those of trackers; names may have a * (_ga, _ga_*).",
    )
    only: CookiePatterns | None = Field(None, description="The only cookies that count; all by default.")

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if "ignore" in written and "only" in written:
            yield ("only",), "vary_cookies has either ignore or only, not both"


class CacheKey(Part):
    """Parts of a request in the cache key besides scheme, host and path."""

    query: QueryKey = Field(QueryKey.defaults(), description="Query parameters in the key.")
    headers: FieldNames = Field((), description="Request fields in the key.")
    cookies: Annotated[tuple[CookieName, ...], LISTED] = Field((), description="Cookies in the key.")


class PurgeClients(Part):
    """The clients that may send the PURGE method."""

    short_forms: ClassVar[Forms] = (
        {"type": "string"},
        {"type": "array"},
    )

    from_: Networks = Field((), alias="from", description="Addresses that may purge.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"from": value} if isinstance(value, str | list) else value


class RouteCache(Part):
    """Caching of responses of this route. `true` is all defaults; a bare string is `store`."""

    short_forms: ClassVar[Forms] = (
        {"const": True},
        {"type": "string"},
    )

    store: Text = Field(DEFAULT_STORE, description="Name of an entry in caches.")
    default_ttl: Annotated[float, duration("0s", "365d")] | None = Field(
        None, description="Lifetime of responses that state none; by Last-Modified (RFC 9111) by default."
    )
    negative_ttl: Annotated[float, duration("0s", "1d")] | None = Field(
        None, description="Lifetime of 404 and 410 responses that state none."
    )
    stale_if_error: Annotated[float, duration("0s", "365d")] = Field(
        0.0,
        description=(
            "Time for which a stale response may be sent while the origin fails (RFC 5861). The response must "
            "have been fresh on arrival, or state the time itself."
        ),
    )
    stale_while_revalidate: Annotated[float, duration("0s", "365d")] = Field(
        0.0,
        description=(
            "Time for which a stale response may be sent while a new one is fetched (RFC 5861). The response "
            "must have been fresh on arrival, or state the time itself."
        ),
    )
    ignore_client_no_cache: Flag = Field(
        False,
        description=(
            "Ignore Cache-Control: no-cache, max-age and min-fresh of clients (and Pragma: no-cache), as nginx "
            "and Varnish do. They require a fresher response than the stored one."
        ),
    )
    tag_header: FieldName = Field("cache-tag", description="Response field that names the tags for purging.")
    set_cookie: Annotated[str, one_of("public", "explicit")] = Field(
        "public",
        description=(
            "Responses with Set-Cookie that are stored, so that all clients get the cookies: public, responses "
            "marked for shared caches by public, s-maxage or CDN-Cache-Control; explicit, all responses with a "
            "stated lifetime."
        ),
    )
    key: CacheKey = Field(CacheKey.defaults(), description="Further parts of the cache key.")
    vary_cookies: VaryCookies = Field(
        VaryCookies.defaults(),
        description=(
            "Cookies that count if a response has Vary: Cookie. The sticky cookie of the route's pool never "
            "counts. Members receive all cookies."
        ),
    )
    purge: PurgeClients = Field(
        PurgeClients.defaults(), description="Clients that may send the PURGE method."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        if value is True:
            return {}
        return {"store": value} if isinstance(value, str) else value


class CompressionLevels(Part):
    """Levels of the codings."""

    gzip: Annotated[int, whole(0, 9)] = Field(4, description="Level of gzip, 0 to 9.")
    br: Annotated[int, whole(0, 11)] = Field(4, description="Level of brotli, 0 to 11.")
    zstd: Annotated[int, whole(1, 19)] = Field(3, description="Level of zstd, 1 to 19.")


DEFAULT_TYPES = (
    "text/*",
    "application/*+json",
    "application/*+json-seq",
    "application/*+xml",
    "application/javascript",
    "application/json",
    "application/json-seq",
    "application/jsonl",
    "application/jsonlines",
    "application/ndjson",
    "application/toml",
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-javascript",
    "application/x-jsonlines",
    "application/x-ndjson",
    "application/x-protobuf",
    "application/x-yaml",
    "application/xml",
    "application/xml-dtd",
    "application/yaml",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/svg+xml",
    "image/vnd.microsoft.icon",
    "image/x-icon",
    "model/*+json",
    "model/*+xml",
)
"""Media types that servers compress by default or recommend to compress, and line-delimited JSON. Fonts in
WOFF are compressed already."""

ContentType = Annotated[
    str,
    text_of(
        r"[a-z0-9!#$&^_.+\-]+/(?:\*(?:\+[a-z0-9!#$&^_.\-]+)?|[a-z0-9!#$&^_.+\-]+)",
        "a media type such as text/html, text/* or application/*+json",
    ),
]
Encoding = Annotated[str, one_of("zstd", "br", "gzip")]


class Compression(Part):
    """Compression of responses by Accept-Encoding. `true` is all defaults."""

    short_forms: ClassVar[Forms] = (
        {"const": True},
        {"type": "array"},
    )

    encodings: Annotated[tuple[Encoding, ...], LISTED] = Field(
        ("zstd", "br", "gzip"), min_length=1, description="Codings to offer, the preferred one first."
    )
    min_size: Annotated[int, byte_size("0B", "100MB")] = Field(
        1024, description="Smaller responses are not compressed."
    )
    content_types: Annotated[tuple[ContentType, ...], LISTED] = Field(
        DEFAULT_TYPES,
        min_length=1,
        description="Media types that are compressed; text/* means any text, "
        "application/*+json any that ends in +json.",
    )
    levels: CompressionLevels = Field(CompressionLevels.defaults(), description="Level of each coding.")
    breach_safe: Flag = Field(
        False,
        description="True if responses mix secrets with text that clients send: they are not compressed.",
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        if value is True:
            return {}
        return {"encodings": value} if isinstance(value, list) else value


class PluginUse(Part):
    """A plugin in a route: a bare name, or a mapping of one key, the name, to the plugin's options."""

    name: Name
    options: Mapping[str, Any] = {}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        named = {"type": "object", "minProperties": 1, "maxProperties": 1}
        return {
            "anyOf": [{"type": "string"}, named],
            "description": "A plugin: its name, or its name with options.",
        }

    @classmethod
    def expanded(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value, "options": {}}
        if isinstance(value, dict) and len(value) == 1:
            ((name, options),) = value.items()
            return {"name": name, "options": {} if options is None else options}
        raise ValueError(
            "a plugin is a name, or one name with its options, such as `- rate_limit: {rate: 100/s}`"
        )


class RouteTimeouts(Part):
    """Timeouts towards the member; 0 means no limit."""

    connect: Annotated[float, duration("0s", "10m")] = Field(
        5.0, description="Maximum time to connect, TLS handshake included."
    )
    response_head: Annotated[float, duration("0s", "1d")] = Field(
        60.0, description="Maximum time from the sent request to the response head."
    )
    idle: Annotated[float, duration("0s", "7d")] = Field(
        60.0, description="Maximum time without a byte in either direction during a response."
    )
    total: Annotated[float, duration("0s", "7d")] = Field(
        0.0, description="Maximum time of the whole exchange."
    )


def _retry_condition(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


RetryCondition = Annotated[
    str,
    text_of(
        rf"{'|'.join(sorted(RETRY_WORDS))}|5xx|[45][0-9][0-9]",
        f"one of: {', '.join(sorted(RETRY_WORDS))}, 5xx, or a status such as 503",
    ),
    BeforeValidator(_retry_condition),
]


class Hedge(Part):
    """A second attempt on another member while the first has no response (idempotent requests only)."""

    short_forms: ClassVar[Forms] = ({"type": "string"},)

    after: Annotated[float, duration("1ms", "1m")] = Field(
        description="Time without a response after which a second attempt starts."
    )
    attempts: Annotated[int, whole(1, 3)] = Field(1, description="Maximum number of further attempts.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"after": value} if isinstance(value, str) else value


class Retries(Part):
    """Further attempts on other members after a failed one. A bare number is `attempts`; `false` is none."""

    short_forms: ClassVar[Forms] = (
        {"type": "integer"},
        {"const": False},
    )

    attempts: Annotated[int, whole(0, 10)] = Field(
        1, description="Maximum number of attempts after the first."
    )
    on: Annotated[tuple[RetryCondition, ...], LISTED] = Field(
        ("connect_failure", "reset_before_response"),
        description="Failures to retry: connect_failure, reset_before_response, timeout, 5xx, or statuses in quotes.",
    )
    budget: Annotated[float, share()] = Field(0.2, description="Maximum share of retries in live requests.")
    hedge: Hedge | None = Field(
        None, description="Second attempts that start while the first has no response."
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        if value is False:
            return {"attempts": 0}
        return {"attempts": value} if isinstance(value, int) and value is not True else value


class RouteLimits(Part):
    """Size limits of requests on this route; the listener's limit applies as well."""

    body: Annotated[int, byte_size("0B", "1TB")] | None = Field(
        None, description="Maximum size of a request body; larger ones get 413."
    )
