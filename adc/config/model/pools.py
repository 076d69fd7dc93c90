"""A pool: a named set of members with one way to choose among them, health, limits and persistence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from adc.config.model.address import MemberAddress
from adc.config.model.balance import Balance, PlainBalance
from adc.config.model.base import Finding, Forms, Part
from adc.config.model.health import Health
from adc.config.model.persistence import Persistence
from adc.config.model.tls import MemberTls
from adc.config.model.types import LISTED, OFF, Flag, Name, duration, number, one_of, share, whole


class Member(Part):
    """A server of a pool. A bare string is `address`."""

    short_forms: ClassVar[Forms] = ({"type": "string"},)

    address: MemberAddress = Field(description="Address of the member.")
    name: Name | None = Field(None, description="Name in logs, metrics and cookies; the address by default.")
    weight: Annotated[int, whole(0, 1000)] = Field(
        1, description="Relative share of the traffic; 0: only clients pinned to it."
    )
    backup: Flag = Field(False, description="Use only while all other members are down.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"address": value} if isinstance(value, str) else value


class PoolLimits(Part):
    """Requests that wait while the members of a pool are at their limits, and how long."""

    connections_per_member: Annotated[int, whole(0, 1_000_000)] = Field(
        0, description="Maximum number of in-flight requests to a member; 0: no limit."
    )
    queue: Annotated[int, whole(0, 1_000_000)] = Field(
        1024, description="Maximum number of requests that wait for a member."
    )
    queue_timeout: Annotated[float, duration("1ms", "10m")] = Field(
        5.0, description="Maximum wait of a request, then 503."
    )
    queue_order: Annotated[str, one_of("oldest", "newest")] = Field(
        "oldest", description="Order of the queue: oldest or newest first."
    )


class Breaker(Part):
    """Requests in flight in a pool before further ones are rejected at once; 0 means no limit."""

    pending: Annotated[int, whole(0, 1_000_000)] = Field(
        0, description=("Maximum number of requests that wait for a member.")
    )
    requests: Annotated[int, whole(0, 1_000_000)] = Field(
        0, description="Maximum number of in-flight requests."
    )
    connections: Annotated[int, whole(0, 1_000_000)] = Field(
        0, description=("Maximum number of open connections to members.")
    )


class Adaptive(Part):
    """A limit of in-flight requests that follows the latency gradient. `true` is all defaults."""

    short_forms: ClassVar[Forms] = ({"const": True},)

    min: Annotated[int, whole(1, 1_000_000)] = Field(4, description="Lowest limit of in-flight requests.")
    max: Annotated[int, whole(1, 1_000_000)] = Field(1000, description="Highest limit of in-flight requests.")
    initial: Annotated[int, whole(1, 1_000_000)] = Field(20, description="Limit at the start.")
    tolerance: Annotated[float, number(1.0, 10.0)] = Field(
        1.5,
        description="Latency up to which the limit does not shrink, as a multiple of the best latency seen.",
    )

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {} if value is True else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        low, start, high = written.get("min", 4), written.get("initial", 20), written.get("max", 1000)
        if all(isinstance(n, int) for n in (low, start, high)) and not low <= start <= high:
            yield (), f"min ({low}), initial ({start}) and max ({high}) must be in this order"


class MemberKeepAlive(Part):
    """Idle connections to members."""

    idle: Annotated[float, duration("0s", "1h")] = Field(
        50.0, description="Maximum idle time of a connection; 0: connections are not kept."
    )
    max_idle: Annotated[int, whole(0, 100_000)] = Field(
        256, description="Maximum number of idle connections to a member per worker."
    )


class Dns(Part):
    """Members by DNS name."""

    interval: Annotated[float, duration("1s", "1d")] = Field(
        30.0, description="Time between two look-ups of a name."
    )


class Pool(Part):
    """A named set of members. A bare list is `members`."""

    short_forms: ClassVar[Forms] = (
        {"type": "array"},
        {"type": "string"},
    )

    members: Annotated[tuple[Member, ...], LISTED] = Field(min_length=1, description="Servers of the pool.")
    balance: Balance = Field(PlainBalance.defaults(), description="The balancer; round_robin by default.")
    persistence: Annotated[Persistence | None, OFF] = Field(
        None, description="Mode that pins clients to members."
    )
    health: Health = Field(Health.defaults(), description="Active and passive health checks.")
    slow_start: Annotated[float, duration("0s", "1h")] = Field(
        0.0, description="Time in which the share of a recovered member grows to its full value."
    )
    panic: Annotated[float, share()] = Field(
        0.0, description="Share of healthy members below which all members are used; 0: never."
    )
    limits: PoolLimits = Field(
        PoolLimits.defaults(), description="Queue for requests while the members are at their limits."
    )
    breaker: Breaker = Field(
        Breaker.defaults(), description="Limits above which requests are rejected at once."
    )
    adaptive: Annotated[Adaptive | None, OFF] = Field(
        None, description=("A limit of in-flight requests that follows latency.")
    )
    keep_alive: MemberKeepAlive = Field(
        MemberKeepAlive.defaults(), description="Connections kept open to members."
    )
    tls: Annotated[MemberTls | None, OFF] = Field(None, description="TLS towards members.")
    proxy_protocol: Annotated[str, one_of("v1", "v2")] | None = Field(
        None, description="PROXY protocol towards members: v1 or v2."
    )
    dns: Dns = Field(Dns.defaults(), description="Members by DNS name.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"members": value} if isinstance(value, list | str) else value
