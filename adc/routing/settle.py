"""Choice of the rule and of the path for the member, for a request whose path has several readings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from adc.http.message import Request
from adc.http.readings import UnsafeReadings, readings

T = TypeVar("T")

MATCH, SEND, OFF = "match", "send", "off"
NORMALIZE = (MATCH, SEND, OFF)
"""Uses of normal forms by a route: match on them, send them as well, neither."""


class PathPolicy(NamedTuple):
    """A route's policy for paths with several readings.

    `guarded` is True if no reading of the sent path may lead to another route. `prefix` (normalised, without a closing
    slash) is removed before the member sees the path.
    """

    route: str
    normalize: str = MATCH
    guarded: bool = True
    prefix: str = ""


class Settled(NamedTuple, Generic[T]):
    """The value of the rule that takes a request (None: no rule does), the target to send, and why the request is
    refused instead ("" if it is not)."""

    value: T | None
    target: str
    refusal: str = ""


def settle(
    request: Request, find: Callable[[Request], T | None], policy_of: Callable[[T], PathPolicy]
) -> Settled[T]:
    """Find the rule for `request` by its normal form and choose the target for the member.

    The target stays as received if it and all its readings lead to the same rule as the normal form; otherwise the
    member receives the normal form, if its readings do.
    """
    value, target = find(request), request.target
    if value is None:
        return Settled(None, target)
    policy = policy_of(value)
    path, question, query = target.partition("?")
    normal = request.path if not question else f"{request.path}?{query}"
    refusal = ""
    if policy.normalize != SEND:
        refusal = _elsewhere(request, path, value, find, policy_of, policy)
        if not refusal or policy.normalize == OFF:
            return Settled(value, target, refusal if policy.guarded else "")
    if policy.guarded and (policy.normalize == SEND or path != request.path):
        refusal = _elsewhere(request, request.path, value, find, policy_of, policy)
    return Settled(value, normal, refusal if policy.guarded else "")


def _elsewhere(
    request: Request,
    path: str,
    value: T,
    find: Callable[[Request], T | None],
    policy_of: Callable[[T], PathPolicy],
    policy: PathPolicy,
) -> str:
    """Return why `path` must not be sent; "" if all of its readings lead to `value`."""
    normal, target = request.path, request.target
    try:
        for reading in readings(path, normal, policy.prefix) if policy.guarded else (path,):
            request.path = request.target = reading
            taker = find(request)
            if taker is not value:
                who = "no route takes" if taker is None else f"route {policy_of(taker).route} takes"
                return f"the path can be read as {reading}, which {who} instead of {policy.route}"
    except UnsafeReadings as error:
        return str(error)
    finally:
        request.path, request.target = normal, target
    return ""
