import pytest

from adc.persistence.decide import Action, MemberState, Stickiness, decide
from adc.persistence.identity import member_id
from adc.persistence.pin import Pin
from tests.unit.persistence.requests import NOW

PIN = Pin(member_id("app", "a:80"), NOW, NOW)
REBALANCE = Stickiness(600.0)
ERROR = Stickiness(600.0, fallback="error")
NO_KEEP = Stickiness(600.0, keep_draining=False)


@pytest.mark.parametrize(
    ("state", "options", "action", "reason", "moves"),
    [
        (MemberState.UP, REBALANCE, Action.KEEP, "pinned", False),
        (MemberState.UP, ERROR, Action.KEEP, "pinned", False),
        (MemberState.DOWN, REBALANCE, Action.CHOOSE, "down", True),
        (MemberState.DOWN, ERROR, Action.REFUSE, "down", False),
        (MemberState.DRAINING, REBALANCE, Action.KEEP, "draining", False),
        (MemberState.DRAINING, NO_KEEP, Action.CHOOSE, "draining", True),
        (MemberState.DISABLED, ERROR, Action.CHOOSE, "disabled", True),
        (MemberState.REMOVED, ERROR, Action.CHOOSE, "removed", True),
        (MemberState.REMOVED, REBALANCE, Action.CHOOSE, "removed", True),
    ],
)
def test_verdicts(state: MemberState, options: Stickiness, action: Action, reason: str, moves: bool) -> None:
    assert decide(PIN, state, NOW + 599, options) == (action, reason, moves)


def test_client_without_a_pin_is_new() -> None:
    assert decide(None, MemberState.UP, NOW, REBALANCE) == (Action.CHOOSE, "new", False)


def test_pin_that_has_timed_out_is_no_move() -> None:
    pin = PIN._replace(expires=NOW + 600)
    assert decide(pin, MemberState.UP, NOW + 600, REBALANCE) == (Action.CHOOSE, "expired", False)
    old = PIN._replace(expires=NOW + 9000)
    assert decide(old, MemberState.UP, NOW + 3000, Stickiness(600.0, 3000.0)).reason == "expired"


def test_member_identity_depends_on_pool_and_address_alone() -> None:
    assert member_id("app", "a:80") == member_id("app", "a:80")
    assert member_id("app", "a:80") != member_id("app", "b:80")
    assert member_id("app", "a:80") != member_id("web", "a:80")
    assert member_id("ap", "pa:80") != member_id("app", "a:80")
