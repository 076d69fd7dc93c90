"""Requests that are admitted by units taken beforehand."""

from __future__ import annotations

from typing import ClassVar

import pytest

from adc.plugin import Admission, Context, Host, IdentityFields, Lease, NoOptions, Plugin, Response
from adc.plugin.chain import Chain
from adc.plugin.options import make_use
from adc.plugin.testkit import Trial, request
from adc.plugin.testkit.services import FakeServices

POLICY = (b"RateLimit-Policy", b'"default";q=10;w=1')


def lease(units: int = 3, expires: float = 10.0) -> Lease:
    made = Lease()
    made.units, made.expires, made.remaining, made.reset = units, expires, 5, 4.2
    return made


def admission(leases: dict[str, Lease], now: float = 1.0, cost: int = 1) -> Admission:
    return Admission(leases, lambda: now, cost, b'"default";r=', POLICY)


class Counting(Plugin[NoOptions]):
    """Admits by the lease of 192.0.2.1 and refuses all others."""

    called: ClassVar[list[str]] = []

    async def start(self, host: Host) -> None:
        leases = {"192.0.2.1": lease(2, host.now() + 5)}
        self.admission = Admission(leases, host.now, 1, b'"default";r=', POLICY)

    def request_head(self, context: Context) -> Response:
        self.called.append(context.client)
        return Response(429)


class CountingAndLogging(Counting):
    def log(self, context: Context, record: object) -> None:
        """Note nothing."""


class CountingUsers(Counting):
    identity = IdentityFields(["X-User"])


def test_units_are_spent_and_told() -> None:
    known = lease()
    asked = request(client="192.0.2.1")
    expected = ((b"RateLimit", b'"default";r=7;t=4'), POLICY)
    assert admission({"192.0.2.1": known}).lines(asked) == expected
    assert known.units == 2


@pytest.mark.parametrize(
    ("now", "seconds"), [(1.2, b"3"), (1.1, b"4"), (4.2, b"0"), (4.3, b"0"), (9.0, b"0")]
)
def test_seconds_to_the_reset_are_rounded_up(now: float, seconds: bytes) -> None:
    lines = admission({"192.0.2.1": lease()}, now).lines(request(client="192.0.2.1"))
    assert lines is not None
    assert lines[0][1].partition(b"t=")[2] == seconds


def test_without_an_item_the_response_has_no_fields() -> None:
    quiet = Admission({"192.0.2.1": lease()}, lambda: 1.0)
    assert quiet.lines(request(client="192.0.2.1")) == ()


@pytest.mark.parametrize(
    "leases",
    [
        {},
        {"192.0.2.2": lease()},
        {"192.0.2.1": lease(units=1)},
        {"192.0.2.1": lease(expires=1.0)},
    ],
)
def test_requests_without_units_are_left_to_the_plugin(leases: dict[str, Lease]) -> None:
    before = [each.units for each in leases.values()]
    assert admission(leases, cost=2).lines(request(client="192.0.2.1")) is None
    assert [each.units for each in leases.values()] == before


async def test_the_phase_is_called_when_the_units_are_used_up() -> None:
    Counting.called.clear()
    async with Trial(Counting, {}) as trial:
        outcomes = [await trial.exchange(request(client="192.0.2.1")) for _ in range(3)]
    assert [each.response.status for each in outcomes] == [200, 200, 429]
    assert outcomes[0].response.headers.get(b"ratelimit-policy") == POLICY[1]
    assert Counting.called == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("plugins", "passed"),
    [
        ([Counting], True),
        ([CountingAndLogging], False),
        ([CountingUsers], False),
        ([Counting, Counting], False),
    ],
)
async def test_chain_is_passed_only_if_nothing_else_is_in_it(
    plugins: list[type[Plugin[NoOptions]]], passed: bool
) -> None:
    chain = Chain("r", [make_use(str(number), plugin, {}) for number, plugin in enumerate(plugins)])
    await chain.start(FakeServices())
    assert (chain.admission is not None) is passed
    await chain.close()
