"""The node that operations and the admin server see: its workers, and the state of the supervisor."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

import adc
from adc.admin.node import ReloadResult
from adc.control.nft import NftFailed
from adc.control.service import Service
from adc.control.sockets import key_of
from adc.runtime.operations import members, state
from adc.runtime.operations.convert import to_json
from adc.runtime.operations.operation import NOTHING, Operation, Refused, Reply, Request, Unavailable
from adc.telemetry.event_log import EventLog
from adc.telemetry.samples import Sample

log = EventLog(__name__)


class Operations:
    """Implements `adc.admin.node.Node`. `reload` is the supervisor's, which notifies the service manager too;
    `ending` returns True once the supervisor drains.
    """

    def __init__(
        self,
        service: Service,
        reload: Callable[[], Awaitable[ReloadResult]],
        ending: Callable[[], bool] = lambda: False,
    ) -> None:
        self._service = service
        self._reload = reload
        self._ending = ending

    async def ask(self, operation: Operation[Request, Reply], request: Request) -> Reply:
        return await self._service.ask(operation, request)

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

    async def _state(self) -> dict[str, Any]:
        """Return the status of the state store: degraded if any worker says so."""
        try:
            status = await self.ask(state.STATUS, NOTHING)
        except (Refused, Unavailable):
            status = state.StateStatus()
        return {"backend": self._service.config.state.backend, **to_json(status)}

    async def reload(self) -> ReloadResult:
        return await self._reload()

    def routes(self) -> list[dict[str, Any]]:
        return [
            route.model_dump(
                mode="json",
                exclude_defaults=True,
                include={"name", "listeners", "match", "pool", "split", "redirect", "respond", "files"},
            )
            for route in self._service.config.routes
        ]

    async def samples(self) -> list[list[Sample]]:
        return [*await self._service.fleet.samples(), self._own_samples(), await self._kernel_samples()]

    async def _kernel_samples(self) -> list[Sample]:
        """Return the counters of rules that the kernel decides by; none while nft fails, which the log tells."""
        try:
            rows = await self._service.kernel.rows() or []
        except NftFailed as error:
            log.error("kernel_rules_failed", detail=str(error))
            return []
        return [Sample("adc_firewall_packets_total", (row.rule, row.action), row.packets) for row in rows]

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
                "addresses": list(dict.fromkeys(map(key_of, service.sockets.of(listener.name).values()))),
            }
            for listener in service.config.listeners
        ]

    async def _pools(self) -> list[dict[str, Any]]:
        pools: dict[str, dict[str, Any]] = {}
        try:
            rows = await self.ask(members.LIST, NOTHING)
        except (Refused, Unavailable):
            return []  # the workers are being replaced; the rest of the status says so
        for row in rows:
            pool = pools.setdefault(row.pool, {"name": row.pool, "members": 0, "available": 0, "active": 0})
            pool["members"] += 1
            pool["available"] += row.available
            pool["active"] += row.active
        return list(pools.values())
