"""Named commands that the supervisor gives to workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adc.pools.member import Admin, Health, Member
from adc.pools.pool import Pool
from adc.runtime.errors import BuildError
from adc.runtime.operations.cache_commands import cache_stats, purge_cache, why_cached
from adc.runtime.operations.sessions import drop_sessions, list_sessions
from adc.runtime.serve.view import Serving

Arguments = Mapping[str, Any]


def run_command(worker: Serving, command: str, arguments: Arguments) -> Any:
    """Run `command`; its answer is made of JSON types. Raises BuildError for what does not exist."""
    found = COMMANDS.get(command)
    if found is None:
        raise BuildError(f"unknown command {command}; known: {', '.join(sorted(COMMANDS))}")
    return found(worker, arguments)


def _members_list(worker: Serving, arguments: Arguments) -> list[dict[str, Any]]:
    now = worker.clock.now
    return [_row(pool, member, now) for pool in worker.runtime.pools.values() for member in pool.members]


def _row(pool: Pool, member: Member, now: float) -> dict[str, Any]:
    link = member.link
    return {
        "pool": pool.name,
        "member": member.name,
        "address": member.address,
        "weight": member.weight,
        "backup": member.backup,
        "state": member.state,
        "health": member.health.value,
        "admin": member.admin.value,
        "available": member.available,
        "since": round(now - member.since, 1) if member.since else None,
        "reason": member.reason,
        "active": member.active,
        "requests": member.requests,
        "failures": member.failures,
        "connect_failures": member.connect_failures,
        "retries": member.retries,
        "ejections": member.ejections,
        "connections": link.connections if link is not None else 0,
        "response_time": round(member.ewma, 6),
    }


def _members_set(worker: Serving, arguments: Arguments) -> None:
    pool, member = _find(worker, arguments)
    pool.set_admin(member, Admin(arguments["admin"]), worker.clock.now, "set by the operator")


def _health_report(worker: Serving, arguments: Arguments) -> None:
    pool, member = _find(worker, arguments)
    health = Health.UP if arguments["up"] else Health.DOWN
    pool.set_health(member, health, worker.clock.now, str(arguments.get("reason", "")))


def _find(worker: Serving, arguments: Arguments) -> tuple[Pool, Member]:
    pool = worker.runtime.pools.get(arguments["pool"])
    for member in pool.members if pool is not None else ():
        if pool is not None and arguments["member"] in (member.name, member.address):
            return pool, member
    raise BuildError(f"there is no member {arguments['member']} in a pool {arguments['pool']}")


def _logs_reopen(worker: Serving, arguments: Arguments) -> None:
    worker.logs.reopen()


def _connections(worker: Serving, arguments: Arguments) -> dict[str, int]:
    return {name: listener.open_connections for name, listener in worker.listeners.items()}


def _state_status(worker: Serving, arguments: Arguments) -> dict[str, Any]:
    return worker.state.status()._asdict()


def _acme_challenges(worker: Serving, arguments: Arguments) -> None:
    worker.challenges.clear()
    worker.challenges.update(arguments["challenges"])


COMMANDS: Mapping[str, Callable[[Serving, Arguments], Any]] = {
    "acme.challenges": _acme_challenges,
    "cache.purge": purge_cache,
    "cache.stats": cache_stats,
    "cache.why": why_cached,
    "connections": _connections,
    "health.report": _health_report,
    "logs.reopen": _logs_reopen,
    "members.list": _members_list,
    "members.set": _members_set,
    "sessions.drop": drop_sessions,
    "sessions.list": list_sessions,
    "state.status": _state_status,
}
