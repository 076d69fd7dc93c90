"""The members of the pools: their state, and an operator's decisions about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from adc.runtime.errors import BuildError
from adc.runtime.operations.operation import NOTHING, Node, NodeOperation, NotFound, Nothing, Operation

if TYPE_CHECKING:
    from adc.pools.member import Member
    from adc.pools.pool import Pool
    from adc.runtime.serve.view import Serving

ADMIN_STATES = {"enable": "enabled", "drain": "draining", "disable": "disabled"}
"""What the operator asks for -> the state of the member: serve, finish pinned work only, receive no traffic."""

Wish = Literal["enable", "drain", "disable"]
"""A key of ADMIN_STATES."""

SUMMED = (
    "active",
    "requests",
    "failures",
    "connect_failures",
    "retries",
    "connections",
    "ejections",
)
"""Columns that add up over workers; the others are the first worker's."""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member. `since` is seconds in this state, `response_time` seconds, smoothed."""

    pool: str
    member: str
    address: str
    weight: int
    backup: bool
    state: str
    health: str
    admin: str
    available: bool
    since: float | None
    reason: str
    active: int
    requests: int
    failures: int
    connect_failures: int
    retries: int
    ejections: int
    connections: int
    response_time: float


class ListMembers(Operation[Nothing, list[MemberRow]]):
    """List the members of every pool."""

    name = "members.list"
    reply = list[MemberRow]
    path = "/api/v1/members"

    def run(self, worker: Serving, request: Nothing) -> list[MemberRow]:
        now = worker.clock.now
        return [_row(pool, member, now) for pool in worker.runtime.pools.values() for member in pool.members]

    def merge(self, replies: Mapping[int, list[MemberRow]]) -> list[MemberRow]:
        merged: dict[tuple[str, str], MemberRow] = {}
        for _, rows in sorted(replies.items()):
            for row in rows:
                known = merged.get((row.pool, row.member))
                merged[row.pool, row.member] = row if known is None else _add(known, row)
        return list(merged.values())


def _add(one: MemberRow, other: MemberRow) -> MemberRow:
    return replace(one, **{column: getattr(one, column) + getattr(other, column) for column in SUMMED})


def _row(pool: Pool, member: Member, now: float) -> MemberRow:
    link = member.link
    return MemberRow(
        pool=pool.name,
        member=member.name,
        address=member.address,
        weight=member.weight,
        backup=member.backup,
        state=member.state,
        health=member.health.value,
        admin=member.admin.value,
        available=member.available,
        since=round(now - member.since, 1) if member.since else None,
        reason=member.reason,
        active=member.active,
        requests=member.requests,
        failures=member.failures,
        connect_failures=member.connect_failures,
        retries=member.retries,
        ejections=member.ejections,
        connections=link.connections if link is not None else 0,
        response_time=round(member.ewma, 6),
    )


@dataclass(frozen=True, slots=True)
class AdminState:
    """The admin state of a member: a value of ADMIN_STATES."""

    pool: str
    member: str
    admin: str


class ApplyAdminState(Operation[AdminState, Nothing]):
    """Put a member in an admin state in every worker."""

    name = "members.apply"
    request = AdminState

    def run(self, worker: Serving, request: AdminState) -> Nothing:
        from adc.pools.member import Admin

        pool, member = member_named(worker, request.pool, request.member)
        pool.set_admin(member, Admin(request.admin), worker.clock.now, "set by the operator")
        return NOTHING


@dataclass(frozen=True, slots=True)
class SetMember:
    """A decision about a member, named as it is listed or by its address: a key of ADMIN_STATES."""

    pool: str
    member: str
    state: Wish


class DecideMember(NodeOperation[SetMember, SetMember]):
    """Take a member out of service, or back; workers that start later apply it too."""

    name = "members.set"
    request = reply = SetMember
    method = "POST"
    path = "/api/v1/members/{pool}/{member:.+}"

    async def coordinate(self, node: Node, request: SetMember) -> SetMember:
        for row in await LIST.coordinate(node, NOTHING):
            if row.pool == request.pool and request.member in (row.member, row.address):
                break
        else:
            raise NotFound(f"there is no member {request.member} in a pool {request.pool}")
        admin = ADMIN_STATES[request.state]
        node.decide(row.pool, row.member, admin)
        await APPLY.coordinate(node, AdminState(row.pool, row.member, admin))
        return request


def member_named(worker: Serving, pool: str, member: str) -> tuple[Pool, Member]:
    """Return the member by its name or address. Raises BuildError."""
    found = worker.runtime.pools.get(pool)
    if found is not None:
        for each in found.members:
            if member in (each.name, each.address):
                return found, each
    raise BuildError(f"there is no member {member} in a pool {pool}")


LIST = ListMembers()
APPLY = ApplyAdminState()
SET = DecideMember()
