"""The whole configuration."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from adc.config.model.base import Finding, Part, unknown
from adc.config.model.caches import CacheStore
from adc.config.model.error_pages import ErrorStatus
from adc.config.model.expectations import Expectation
from adc.config.model.firewall import Firewall
from adc.config.model.listeners import Listener
from adc.config.model.node import AccessLog, Admin, ErrorLog, Shutdown
from adc.config.model.policies import DEFAULT_STORE
from adc.config.model.pools import Pool
from adc.config.model.routes import Route
from adc.config.model.sessions import Sessions
from adc.config.model.state import Cluster, State
from adc.config.model.types import (
    EXPANSION,
    LISTED,
    OFF,
    FilePath,
    FilePaths,
    Name,
    Networks,
    Value,
    byte_size,
    duration,
)
from adc.config.units import quote

MOST_SHARING: Final = 256
"""Workers of a node that shares sessions: nodes name a worker by a byte."""


def _workers(value: Any) -> int | str:
    if value == "auto":
        return "auto"
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1024:
        return value
    raise ValueError(f"{quote(value)} is not auto (one per core) or a number from 0 to 1024")


_WORKERS: dict[str, Any] = {
    "anyOf": [{"const": "auto"}, {"type": "integer", "minimum": 0, "maximum": 1024}, EXPANSION]
}
Workers = Annotated[int | Literal["auto"], Value(_workers, _WORKERS)]


class Config(Part):
    """One complete configuration, checked."""

    not_written: ClassVar[frozenset[str]] = frozenset({"folder"})

    node: Name = Field(
        default_factory=lambda: socket.gethostname() or "adc",
        description="Name of this node; the host name by default.",
    )
    user: Name | None = Field(
        None,
        description=(
            "User of the worker processes if root starts adc; the supervisor stays root, so that a reload can "
            "bind low ports."
        ),
    )
    group: Name | None = Field(
        None, description=("Group of the worker processes; the user's primary group by default.")
    )
    workers: Workers = Field(
        "auto", description="Number of worker processes; auto: one per core; 0: serve in the main process."
    )
    worker_memory: Annotated[int, byte_size("0B", "1TB")] = Field(
        0,
        description="Resident memory above which a worker is replaced, without losing a request; 0: no limit.",
    )
    worker_timeout: Annotated[float, duration("0s", "1h")] = Field(
        10.0,
        description=(
            "A worker whose event loop is blocked for this time is killed and replaced; checked once a second; "
            "0s: never."
        ),
    )
    listeners: Annotated[tuple[Listener, ...], LISTED] = Field(
        min_length=1, description="Sockets that accept clients."
    )
    routes: Annotated[tuple[Route, ...], LISTED] = Field(
        (), description="Rules that choose an action; the first match in file order wins."
    )
    pools: Mapping[Name, Pool] = Field({}, description="Named sets of members.")
    caches: Mapping[Name, CacheStore] = Field({}, description="Named stores of cached responses.")
    state: State = Field(State.defaults(), description="Tables that outlive a request.")
    cluster: Cluster | None = Field(None, description="Settings of the cluster that this node belongs to.")
    sessions: Sessions = Field(Sessions.defaults(), description="The table of TCP, UDP and SMTP sessions.")
    firewall: Annotated[Firewall | None, OFF] = Field(
        None, description="Rules for new connections and UDP sessions of all listeners."
    )
    admin: Annotated[Admin | None, OFF] = Field(
        default_factory=Admin, description="Admin API and page; false turns it off."
    )
    trusted_proxies: Networks = Field(
        (), description=("Addresses of trusted proxies, whose X-Forwarded-* fields are used.")
    )
    access_log: AccessLog = Field(AccessLog.defaults(), description="One line per request.")
    error_log: ErrorLog = Field(ErrorLog.defaults(), description="One line per event.")
    error_pages: Mapping[ErrorStatus, FilePath] = Field(
        {}, description="Error page templates by status or class (5xx), instead of the built-in ones."
    )
    plugin_paths: FilePaths = Field((), description="Folders in which plugins are found.")
    shutdown: Shutdown = Field(Shutdown.defaults(), description="Settings of the shutdown.")
    tests: tuple[Expectation, ...] = Field((), description="Expectations for adc test.")
    folder: str = Field("", description="Folder of the configuration; relative paths start there.")

    @classmethod
    def expanded(cls, value: Any) -> Any:
        """Return the mapping with names that were left out, and the store that `cache: true` uses."""
        if not isinstance(value, dict):
            return value
        value = dict(value)
        for key, word in (("listeners", "listener"), ("routes", "route")):
            if isinstance(value.get(key), list):
                value[key] = [_named(item, f"{word}-{place}") for place, item in enumerate(value[key], 1)]
        caches = value.get("caches", {})
        if (
            isinstance(caches, dict)
            and DEFAULT_STORE not in caches
            and _uses_default_store(value.get("routes"))
        ):
            value["caches"] = caches | {DEFAULT_STORE: {}}
        return value

    @property
    def shares_sessions(self) -> bool:
        """True if the nodes of a cluster share the owners of UDP sessions."""
        return self.cluster is not None and self.cluster.sync.sessions

    @property
    def passes_datagrams(self) -> bool:
        """True if nodes pass each other the datagrams of their sessions."""
        return self.shares_sessions and self.sessions.on_unknown == "redirect"

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        if "folder" in written:
            yield ("folder",), unknown("key", "folder", cls.written_keys())
        if "group" in written and "user" not in written:
            yield ("group",), "has no effect without user"
        if "user" in written and written.get("workers") == 0:
            yield ("user",), "is for worker processes, and workers: 0 has none"
        if _shares_sessions(written.get("cluster")) and _number(written.get("workers")) > MOST_SHARING:
            yield ("workers",), f"may be {MOST_SHARING} at most with cluster.sync.sessions"
        if not written.get("error_pages"):
            yield from _without_pages(written.get("routes"))
        if written.get("listeners") == []:
            yield ("listeners",), "is empty; at least one listener is needed"


def _shares_sessions(cluster: Any) -> bool:
    sync = cluster.get("sync") if isinstance(cluster, dict) else None
    return isinstance(sync, dict) and sync.get("sessions") is True


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _without_pages(routes: Any) -> Iterable[Finding]:
    """Yield the routes that replace errors by pages of which there are none."""
    for place, route in enumerate(routes if isinstance(routes, list) else ()):
        if isinstance(route, dict) and route.get("intercept") is True and not route.get("error_pages"):
            message = "has no effect without error_pages; name pages, or list statuses such as [404, 5xx]"
            yield ("routes", place, "intercept"), message


def _named(item: Any, name: str) -> Any:
    return {"name": name} | item if isinstance(item, dict) else item


def _uses_default_store(routes: Any) -> bool:
    if not isinstance(routes, list):
        return False
    caches = [route.get("cache") for route in routes if isinstance(route, dict)]
    return any(
        cache is True or (isinstance(cache, dict) and cache.get("store", DEFAULT_STORE) == DEFAULT_STORE)
        for cache in caches
    )
