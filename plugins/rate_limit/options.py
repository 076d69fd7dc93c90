"""The options of rate_limit."""

from __future__ import annotations

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from adc.plugin import Bucket, Duration, NetworkList, Options, Window

PERIODS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
PLAIN_KEYS = ("source", "route", "host", "method", "path", "query")
NAMED_KEYS = ("header", "cookie", "query")
MOST = 1_000_000_000

_RATE = re.compile(r"([0-9]{1,10}) ?/ ?([0-9]{0,6}) ?([smhd])")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")


class Rate(NamedTuple):
    """`amount` requests in `period` seconds."""

    amount: int
    period: float

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.amount / self.period


def _rate(written: object) -> Rate:
    if isinstance(written, Rate):
        return written
    found = _RATE.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        raise ValueError(f"{written!r} is not a rate; write 100/s, 600/m, 1000/h, 5000/d or 10/30s")
    amount, period = int(found[1]), int(found[2] or 1) * PERIODS[found[3]]
    if not 1 <= amount <= MOST or not 1 <= period <= 31 * PERIODS["d"]:
        raise ValueError(f"{written!r} is out of range; allowed: 1 to {MOST} requests in 1s to 31d")
    return Rate(amount, period)


def _key(written: object) -> object:
    listed = [written] if isinstance(written, str) else written
    if not isinstance(listed, list | tuple) or not listed:
        raise ValueError(f"{written!r} is not a key; write source, header:X-Api-Key, or a list of such")
    for part in listed:
        kind, colon, name = part.partition(":") if isinstance(part, str) else ("", "", "")
        if not (part in PLAIN_KEYS or (colon and kind in NAMED_KEYS and _TOKEN.fullmatch(name))):
            known = [*PLAIN_KEYS, *(f"{kind}:NAME" for kind in NAMED_KEYS)]
            raise ValueError(f"{part!r} is not a part of a key; use {', '.join(known)}")
    return tuple(listed)


def _name(written: str) -> str:
    if not _NAME.fullmatch(written):
        raise ValueError(f"{written!r} is not a name; write up to 32 letters, digits, . _ -")
    return written


WrittenRate = Annotated[Rate, BeforeValidator(_rate), WithJsonSchema({"type": "string"})]
Key = Annotated[tuple[str, ...], BeforeValidator(_key)]


class Limit(Options):
    """One limit."""

    name: Annotated[str, AfterValidator(_name)] = "default"
    """Name in the fields of responses, metrics and logs."""

    key: Key = ("source",)
    """What shares the limit: `source` (address of the client), `route`, `host`, `method`, `path`, `query`,
    `header:NAME`, `cookie:NAME`, `query:NAME`; one, or a list of which all count. A user that a plugin before this one
    has found is the `header:` that it writes for the member."""

    rate: WrittenRate
    """Requests in a time: `100/s`, `600/m`, `1000/h`, `5000/d`, `10/30s`."""

    burst: Annotated[int, Field(ge=1, le=MOST)] | None = None
    """Requests that are admitted at once after a pause; by default as many as the rate names. Not for a
    `sliding_window`."""

    algorithm: Literal["token_bucket", "sliding_window"] = "token_bucket"
    """`token_bucket` admits `burst`, then the rate evenly (GCRA). `sliding_window` admits the number of the rate in any
    stretch of its time."""

    delay: Annotated[Duration, Field(ge=0, le=4)] = 0.0
    """Have requests over the rate wait for up to this long, in place of a refusal: 0 to 4s. For `token_bucket`."""

    @model_validator(mode="after")
    def _fits(self) -> Limit:
        if self.algorithm == "sliding_window" and (self.burst is not None or self.delay):
            raise ValueError("burst and delay belong to token_bucket, and this is a sliding_window")
        return self

    def allowance(self) -> Bucket | Window:
        """Return the limit as tables take from it."""
        if self.algorithm == "sliding_window":
            return Window(self.rate.amount, self.rate.period)
        per_second = self.rate.per_second
        return Bucket(per_second, self.most, int(per_second * self.delay))

    @property
    def most(self) -> int:
        """The largest number of units that is granted at once."""
        return self.burst or self.rate.amount


class RateLimitOptions(Options):
    """One limit, whose options stand here, or several in `limits`."""

    name: Annotated[str, AfterValidator(_name)] = "default"
    """Name of the limit in the fields of responses, metrics and logs."""

    key: Key = ("source",)
    """What shares the limit, as in `limits`: `source`, `header:X-Api-Key`, `[source, route]`."""

    rate: WrittenRate | None = None
    """Requests in a time: `100/s`, `600/m`, `1000/h`, `5000/d`, `10/30s`."""

    burst: Annotated[int, Field(ge=1, le=MOST)] | None = None
    """Requests that are admitted at once after a pause; by default as many as the rate names."""

    algorithm: Literal["token_bucket", "sliding_window"] = "token_bucket"
    """As in `limits`."""

    delay: Annotated[Duration, Field(ge=0, le=4)] = 0.0
    """Have requests over the rate wait for up to this long: 0 to 4s."""

    limits: tuple[Limit, ...] = ()
    """Several limits, each with the options above; a request has to be within all of them."""

    cost: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """What a request counts as."""

    costs: dict[str, Annotated[int, Field(ge=0, le=1_000_000)]] = Field(default_factory=dict)
    """What requests of some methods count as: `{POST: 5, OPTIONS: 0}`."""

    exempt: NetworkList = Field(default=(), validate_default=True)
    """Networks of clients without a limit."""

    source_prefix4: Annotated[int, Field(ge=8, le=32)] = 32
    """Bits of an IPv4 address that count as one `source`."""

    source_prefix6: Annotated[int, Field(ge=16, le=128)] = 64
    """Bits of an IPv6 address that count as one `source`: a customer usually has 64 of their own."""

    missing: Literal["source", "shared", "skip"] = "source"
    """What counts for a request without the header, cookie or parameter of the key: its `source`, one `shared` limit
    for all such requests, or nothing (`skip`)."""

    scope: Literal["auto", "node", "cluster"] = "auto"
    """Sharers of the limit: the workers of a `node`, or all nodes on one Redis (`cluster`). `auto`: all that the
    `state` of the configuration has, with `cluster.sync.rate_limits: false` those of a node."""

    on_store_failure: Literal["local", "admit", "reject"] = "local"
    """While Redis is away: each node limits alone (`local`), nothing is limited (`admit`), or requests get 503."""

    keys: Annotated[int, Field(ge=100, le=10_000_000)] = 100_000
    """Maximum number of keys that are remembered for each limit; beyond it those not seen for the longest time are
    forgotten."""

    headers: Literal["draft", "legacy", "both", "none"] = "draft"
    """Fields of responses: `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers), `X-RateLimit-*`,
    or both."""

    status: Annotated[int, Field(ge=400, le=599)] = 429
    """Status of a refused request."""

    dry_run: bool = False
    """Count and log what would be refused, and let it pass."""

    @model_validator(mode="after")
    def _fits(self) -> RateLimitOptions:
        if (self.rate is None) == (not self.limits):
            raise ValueError("write rate, such as 100/s, or limits: a list of limits with a rate each")
        names = [limit.name for limit in self.all_limits()]
        if len(set(names)) < len(names):
            raise ValueError("two limits have the same name; give each a name")
        dearest = max([self.cost, *self.costs.values()])
        for limit in self.all_limits():
            if dearest > limit.most:
                raise ValueError(f"limit {limit.name} never admits a request that counts as {dearest}")
        return self

    def all_limits(self) -> tuple[Limit, ...]:
        """Return the limits, the short form as one."""
        if self.rate is None:
            return self.limits
        return (
            Limit(
                name=self.name,
                key=self.key,
                rate=self.rate,
                burst=self.burst,
                algorithm=self.algorithm,
                delay=self.delay,
            ),
        )
