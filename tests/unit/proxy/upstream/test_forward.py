"""Choosing, sending, trying again."""

import pytest

from adc.http.message import UNKNOWN_LENGTH
from adc.pools.errors import Failure
from adc.pools.member import Admin
from adc.pools.retry import RetryBudget, RetryPolicy
from adc.proxy.timeouts import Timeouts
from tests.kit.memory_codec import World


def tried(world):
    return [len(member.link.attempts) for member in world.members]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_member_that_cannot_be_reached_is_passed_over(method):
    world = World(members=2, idle=0)
    client = world.ask(method)
    world.link(0).refuse()
    world.link(1).connect()
    world.link(1).answer(200, b"b")
    assert client.status == 200
    assert (client.exchange.attempts, client.exchange.member) == (2, "member-1")
    assert world.members[1].retries == 1
    assert world.members[0].connect_failures == 1


def test_a_get_whose_connection_breaks_is_tried_elsewhere():
    world = World(members=2)
    client = world.ask()
    world.link(0).fail(Failure.RESET)
    world.link(1).answer(200)
    assert client.status == 200


def test_a_post_that_may_have_been_seen_is_not_repeated():
    world = World(members=2)
    client = world.ask("POST", body=b"x", length=1)
    world.link(0).fail(Failure.RESET)
    assert client.status == 502
    assert tried(world) == [1, 0]


def test_a_stale_connection_is_tried_at_the_same_member_if_there_is_no_other():
    world = World(idle=2, retry=RetryPolicy(0))
    client = world.ask()
    world.link().fail(Failure.STALE_CONNECTION)
    world.link().answer(200)
    assert client.status == 200
    assert world.members[0].failures == 0


def test_nothing_is_tried_again_once_the_response_has_begun():
    world = World(members=2)
    client = world.ask()
    world.link(0).answer(200, b"a", end=False)
    world.link(0).fail(Failure.BODY_INCOMPLETE)
    assert client.sent[-1] == ("cut off",)
    assert tried(world) == [1, 0]
    assert world.ended == ["member_closed"]


def test_a_body_that_was_kept_is_sent_again_whole():
    world = World(members=2)
    client = world.ask("PUT", body=b"a", length=UNKNOWN_LENGTH, end=False)
    client.exchange.request_body(b"b", True)
    world.link(0).fail(Failure.RESET)
    assert world.link(1).connection.sent == [("PUT", "/", b"ab", True)]


def test_a_body_too_large_to_keep_is_not_sent_again():
    world = World(members=2)
    client = world.ask("PUT", body=b"a", length=UNKNOWN_LENGTH, end=False)
    client.exchange.request_body(b"b" * (65 << 10), True)
    world.link(0).fail(Failure.RESET)
    assert client.status == 502


def test_a_listed_status_is_tried_elsewhere_and_its_connection_given_up():
    world = World(members=2, retry=RetryPolicy(1, ["503"]))
    client = world.ask()
    world.link(0).answer(503, b"part", end=False)
    assert world.link(0).connection.aborted
    world.link(1).answer(200)
    assert client.sent == [("head", 200, b"", True)]


def test_the_last_listed_status_is_passed_on():
    world = World(members=2, retry=RetryPolicy(1, ["503"]))
    client = world.ask()
    world.link(0).answer(503)
    world.link(1).answer(503, b"still")
    assert client.sent == [("head", 503, b"still", True)]


def test_a_spent_budget_ends_retries():
    budget = RetryBudget(0.0)
    while budget.spend(0.0):
        pass
    world = World(members=2, retry=RetryPolicy(2, budget=budget))
    world.clock.now = 0.5
    client = world.ask()
    world.link(0).fail(Failure.RESET)
    assert client.status == 502


def test_a_slow_member_is_given_up_for_another_within_the_total_time():
    world = World(
        members=2, timeouts=Timeouts(response_head=1.0, total=1.5), retry=RetryPolicy(2, ["timeout"])
    )
    client = world.ask()
    world.pass_time(1.1)
    assert world.link(0).connection.aborted
    assert tried(world) == [1, 1]
    world.pass_time(0.5)
    assert (client.status, world.ended) == (504, ["total_timeout"])


def test_no_member_is_503():
    world = World()
    world.pool.set_admin(world.members[0], Admin.DISABLED, 0.0)
    client = world.ask()
    assert client.status == 503
    assert world.ended == ["no_member"]


def test_a_failed_try_is_logged_and_counted():
    world = World()
    world.ask()
    world.link().fail(Failure.PROTOCOL_ERROR)
    ((message, fields),) = world.log.warnings
    assert (message, fields["reason"], fields["member"]) == ("member_failed", "protocol_error", "member-0")
    assert world.service.upstream_errors == {("app", "member-0", "protocol_error"): 1}


def test_active_requests_are_counted_down_however_they_end():
    world = World(members=2, idle=9)
    for how in ("answer", "fail", "leave", "drop"):
        client = world.ask()
        link = next(member.link for member in world.members if member.active)
        if how == "answer":
            link.answer()
        elif how == "fail":
            link.fail(Failure.BODY_INCOMPLETE)
        elif how == "leave":
            client.exchange.stream_lost()
        else:
            world.service.drop_all("shutdown")
        assert [member.active for member in world.members] == [0, 0]
    assert world.pool.active == 0
    assert world.ended == ["-", "member_closed", "client_gone", "shutdown"]
