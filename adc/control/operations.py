"""The service as the admin server sees it."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import adc
from adc.admin.node import NotFound, Refused, ReloadResult, Unavailable
from adc.control import caches, sessions
from adc.control.calls import CallFailed, CallRefused
from adc.control.decisions import ADMIN_STATES
from adc.control.service import Service
from adc.control.sockets import key_of
from adc.telemetry.samples import Sample

SUMMED = (
    "active",
    "requests",
    "failures",
    "connect_failures",
    "retries",
    "bytes_in",
    "bytes_out",
    "connections",
    "ejections",
)
"""Columns of a member's row that add up over workers; of the others the first worker's word stands."""


class Operations:
    """Implements `adc.admin.node.Node`. `reload` is the supervisor's, which tells the service manager too; `ending`
    says whether the supervisor drains."""

    def __init__(
        self,
        service: Service,
        reload: Callable[[], Awaitable[ReloadResult]],
        ending: Callable[[], bool] = lambda: False,
    ) -> None:
        self._service = service
        self._reload = reload
        self._ending = ending

    def unready(self) -> list[str]:
        return (["the service is ending"] if self._ending() else []) + self._service.fleet.unready()

    async def status(self) -> dict[str, Any]:
        service = self._service
        last = service.last_reload
        return {
            "version": adc.__version__,
            "node": service.config.node,
            "pid": os.getpid(),
            "uptime": round(time.time() - service.started_at, 3),
            "config": str(service.path),
            "workers": [
                {"id": worker.worker_id, "pid": worker.pid}
                for _, worker in sorted(service.fleet.workers.items())
            ],
            "draining": [{"id": worker.worker_id, "pid": worker.pid} for worker in service.fleet.leaving],
            "worker_restarts": service.fleet.restarts,
            "listeners": self._listeners(),
            "pools": await self._pools(),
            "state": await self._state(),
            "last_reload": last.as_json() if last else None,
            "reloads": dict(service.reloads),
        }

    async def sessions(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        return await sessions.list_sessions(self._service.fleet, self._shared_state, wanted)

    async def drop_sessions(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        return await sessions.drop_sessions(self._service.fleet, self._shared_state, wanted)

    async def cache_stats(self) -> list[dict[str, Any]]:
        return await caches.cache_stats(self._service.fleet)

    async def purge_cache(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        return await caches.purge_cache(self._service.fleet, wanted)

    async def why_cached(self, wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
        return await caches.why_cached(self._service.fleet, wanted)

    @property
    def _shared_state(self) -> bool:
        return self._service.config.state.backend != "memory"

    async def _state(self) -> dict[str, Any]:
        """The state store: degraded if any worker says so."""
        try:
            answers = await self._service.fleet.call_all("state.status", {})
        except (CallFailed, CallRefused):
            answers = {}
        worst = next((answer for answer in answers.values() if answer["degraded"]), {"degraded": False})
        return {"backend": self._service.config.state.backend, **worst}

    async def members(self) -> list[dict[str, Any]]:
        try:
            answers = await self._service.fleet.call_all("members.list", {})
        except (CallFailed, CallRefused) as error:
            raise Unavailable(str(error)) from error
        return add_up(rows for _, rows in sorted(answers.items()))

    async def set_member(self, pool: str, member: str, state: str) -> None:
        for row in await self.members():
            if row["pool"] == pool and member in (row["member"], row["address"]):
                member = row["member"]
                break
        else:
            raise NotFound(f"there is no member {member} in a pool {pool}")
        admin = ADMIN_STATES[state]
        self._service.decisions.note(pool, member, admin)
        try:
            await self._service.fleet.call_all(
                "members.set", {"pool": pool, "member": member, "admin": admin}
            )
        except CallRefused as error:
            raise Refused(str(error)) from error
        except CallFailed as error:
            raise Unavailable(str(error)) from error

    async def reload(self) -> ReloadResult:
        return await self._reload()

    def routes(self) -> list[dict[str, Any]]:
        return [
            route.model_dump(
                mode="json",
                exclude_defaults=True,
                include={"name", "listeners", "match", "pool", "split", "redirect", "respond"},
            )
            for route in self._service.config.routes
        ]

    async def samples(self) -> list[list[Sample]]:
        return [*await self._service.fleet.samples(), self._own_samples()]

    def _own_samples(self) -> list[Sample]:
        service = self._service
        return [
            Sample("adc_build_info", (adc.__version__,), 1),
            Sample("adc_config_info", (service.config_hash,), 1),
            Sample("adc_config_loaded_seconds", (), service.loaded_at),
            Sample("adc_worker_restarts_total", (), service.fleet.restarts),
            *(Sample("adc_reloads_total", (result,), service.reloads[result]) for result in ("ok", "failed")),
        ]

    def _listeners(self) -> list[dict[str, Any]]:
        service = self._service
        return [
            {
                "name": listener.name,
                "protocol": listener.protocol,
                "addresses": [key_of(sock) for sock in service.sockets.of(listener.name).values()],
            }
            for listener in service.config.listeners
        ]

    async def _pools(self) -> list[dict[str, Any]]:
        pools: dict[str, dict[str, Any]] = {}
        try:
            rows = await self.members()
        except Unavailable:
            return []  # the workers are being replaced; the rest of the status says so
        for row in rows:
            pool = pools.setdefault(
                row["pool"], {"name": row["pool"], "members": 0, "available": 0, "active": 0}
            )
            pool["members"] += 1
            pool["available"] += bool(row["available"])
            pool["active"] += row["active"]
        return list(pools.values())


def add_up(tables: Iterable[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Rows of several workers about the same members as one row each, in the first worker's order."""
    merged: dict[tuple[str, str], dict[str, Any]] = {}
    for rows in tables:
        for row in rows:
            known = merged.setdefault((row["pool"], row["member"]), {})
            if not known:
                known.update(row)
                continue
            for column in SUMMED:
                if column in row:
                    known[column] = known.get(column, 0) + row[column]
    return list(merged.values())
