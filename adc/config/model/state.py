"""State that outlives a request, and the cluster that shares it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from adc.config.model.address import MemberAddress
from adc.config.model.base import Finding, Forms, Part
from adc.config.model.types import LISTED, FilePath, Flag, Name, byte_size, duration, one_of, text_of, whole

RedisUrl = Annotated[
    str,
    text_of(r"(?:rediss?://[^\s/]+(?:/[0-9]{0,4})?|unix://\S+)", "a redis://, rediss:// or unix:// address"),
]
CREDENTIAL = text_of(r"[!-~]{0,512}", "at most 512 printable characters")
REDIS_ONLY = ("url", "sentinel", "cluster", "prefix", "timeout")


class Sentinel(Part):
    """Redis Sentinels that know the master."""

    master: Name = Field(description="Name of the master as the Sentinels know it.")
    addresses: Annotated[tuple[MemberAddress, ...], LISTED] = Field(
        min_length=1, description="The Sentinels."
    )
    database: Annotated[int, whole(0, 9999)] = Field(0, description="Number of the database.")
    username: Annotated[str, CREDENTIAL] = Field("", description="User name at the master.")
    password: Annotated[str, CREDENTIAL] = Field("", description="Password at the master.")


class State(Part):
    """Shared tables. A bare word is `backend`."""

    short_forms: ClassVar[Forms] = ({"enum": ["memory", "local"]},)

    backend: Annotated[str, one_of("memory", "local", "redis")] = Field(
        "local",
        description="memory: each worker alone; local: all workers of this machine; redis: all machines.",
    )
    path: FilePath | None = Field(
        None, description="Folder of the local tables; one in memory (/dev/shm) by default."
    )
    size: Annotated[int, byte_size("1MB", "1TB")] = Field(
        256 << 20,
        description=(
            "Approximate maximum size of the local tables, at least 16MB; the least recently used entries are "
            "evicted above it. A sticky client takes about 200 bytes."
        ),
    )
    url: Annotated[tuple[RedisUrl, ...], LISTED] = Field(
        (), description="URL of Redis or Valkey; several for the nodes of a cluster."
    )
    cluster: Flag = Field(False, description="True if the addresses are those of a Redis Cluster.")
    sentinel: Sentinel | None = Field(None, description="Sentinels that name the master, instead of url.")
    prefix: Annotated[str, text_of(r"[!-~]{0,64}", "a prefix of at most 64 printable characters")] = Field(
        "adc:", description="Prefix of each key."
    )
    timeout: Annotated[float, duration("1ms", "10s")] = Field(0.03, description="Timeout of a look-up.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        return {"backend": value} if isinstance(value, str) else value

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        backend = written.get("backend", "local")
        if backend == "redis" and ("url" in written) == ("sentinel" in written):
            yield (
                (),
                "backend redis needs either url: redis://HOST:PORT/DATABASE or sentinel: {master, addresses}",
            )
        for key in REDIS_ONLY:
            if backend in ("memory", "local") and key in written:
                yield (key,), f"{key} has no effect with backend: {backend}; it belongs to backend: redis"


class Sync(Part):
    """The state that the nodes share."""

    persistence: Flag = Field(True, description="Pins of clients to members.")
    rate_limits: Flag = Field(
        True, description="Counts of rate limits with `scope: auto`; `scope: cluster` is shared in any case."
    )
    purges: Flag = Field(True, description="Cache purges.")
    sessions: Flag = Field(False, description="UDP sessions of the session table.")
    interval: Annotated[float, duration("1ms", "1m")] = Field(
        0.1, description="Time between two batches of changes."
    )


class Cluster(Part):
    """Membership in a cluster of nodes that share `state`."""

    name: Name = Field(description="Name of the cluster; nodes with the same name belong together.")
    advertise: MemberAddress | None = Field(None, description="Address at which other nodes reach this node.")
    peers: Annotated[tuple[MemberAddress, ...], LISTED] = Field(
        (),
        description=(
            "Addresses that the other nodes advertise, for finding them while state is away; they are found "
            "through state otherwise. This node's address may be among them."
        ),
    )
    secret: Annotated[str, text_of(r".{16,256}", "16 to 256 characters")] | None = Field(
        None,
        description=(
            "Secret that proves membership and from which keys derive, the same on all nodes. Without it the "
            "nodes agree on one through state, where every reader of state can see it."
        ),
    )
    sync: Sync = Field(Sync.defaults(), description="State that the nodes share.")
    on_unknown: Annotated[str, one_of("redirect", "accept", "synchronise")] = Field(
        "accept",
        description=(
            "Treatment of a client that is unknown here: redirect (pass it to its owner), accept (choose a "
            "member) or synchronise."
        ),
    )

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if written.get("on_unknown") == "redirect" and "advertise" not in written:
            yield ("on_unknown",), "redirect needs advertise: the address where other nodes reach this one"
        if "peers" in written and written.get("on_unknown", "accept") != "redirect":
            yield (
                ("peers",),
                "peers has no effect without on_unknown: redirect; only then do nodes ask each other",
            )
