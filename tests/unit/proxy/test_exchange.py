"""One request and its response over a codec that knows no HTTP/1."""

import ast
from pathlib import Path

import pytest

import adc.proxy
from adc.http.headers import Headers
from adc.http.message import UNKNOWN_LENGTH, Response
from adc.pools.errors import Failure
from adc.pools.retry import RetryPolicy
from adc.proxy.end_reasons import end_reason
from adc.proxy.phases import EXPECT, PHASES, PLUGIN
from adc.proxy.timeouts import Timeouts
from adc.telemetry.record import END_REASONS
from tests.kit.memory_codec import World


def test_the_proxy_imports_no_codec():
    for path in Path(adc.proxy.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any("http1" in name or name == "aiohttp" for name in names), path


def test_a_request_goes_to_the_member_and_its_response_to_the_client():
    world = World()
    client = world.ask("GET", "/x")
    assert world.link().connection.sent == [("GET", "/x", b"", True)]
    world.link().answer(200, b"body")
    assert client.sent == [("head", 200, b"body", True)]
    (record,) = world.log.records
    assert (record.status, record.bytes_out, record.attempts, record.member) == (200, 4, 1, "member-0")
    assert (record.end_reason, record.route, record.pool) == ("-", "all", "app")
    assert not world.service.active


def test_a_body_in_pieces_is_passed_on_in_pieces():
    world = World()
    client = world.ask("POST", body=b"a", length=UNKNOWN_LENGTH, end=False)
    client.exchange.request_body(b"b", False)
    client.exchange.request_body(b"c", True)
    assert world.link().connection.sent == [("POST", "/", b"a", False), (b"b", False), (b"c", True)]
    world.link().answer(200, b"d", end=False)
    world.link().more(b"e")
    world.link().more(b"", end=True)
    assert client.sent == [("head", 200, b"d", False), ("body", b"e", False), ("body", b"", True)]
    assert (client.exchange.bytes_in, client.exchange.bytes_out) == (3, 2)


def test_content_is_held_until_there_is_a_connection_and_no_more_than_a_little():
    world = World(idle=0)
    client = world.ask("POST", body=b"a" * 10, length=1 << 20, end=False)
    client.exchange.request_body(b"b" * (64 << 10), False)
    assert not client.reading
    world.link().connect()
    assert client.reading
    ((_, _, body, end),) = world.link().connection.sent
    assert (len(body), end) == ((64 << 10) + 10, False)


def test_a_slow_client_stops_the_member():
    world = World()
    client = world.ask()
    world.link().answer(200, b"a", end=False)
    client.exchange.stream_blocked()
    assert not world.link().connection.reading
    client.exchange.stream_writable()
    assert world.link().connection.reading


def test_a_slow_member_stops_the_client():
    world = World()
    client = world.ask("POST", length=100, end=False)
    world.link().attempts[0].member_blocked()
    assert not client.reading
    world.link().attempts[0].member_writable()
    assert client.reading
    world.pass_time(31)
    assert client.status == 408


def test_a_client_that_goes_takes_the_try_with_it_and_blames_nobody():
    world = World()
    client = world.ask()
    client.exchange.stream_lost()
    assert world.link().connection.aborted
    assert world.ended == ["client_gone"]
    assert client.exchange.status == 499
    assert (world.members[0].active, world.members[0].failures) == (0, 0)


def test_a_client_that_goes_while_a_connection_is_opened_is_forgotten():
    world = World(idle=0)
    client = world.ask()
    client.exchange.stream_lost()
    assert world.link().waiting == []
    assert client.sent == []


LIMITS = {
    "connect": ({"connect": 1.0}, 0, 504, "connect_timeout"),
    "response head": ({"response_head": 1.0}, 1, 504, "response_head_timeout"),
    "total": ({"total": 1.0}, 1, 504, "total_timeout"),
    "total while connecting": ({"total": 1.0}, 0, 504, "total_timeout"),
}


@pytest.mark.parametrize(("timeouts", "idle", "status", "reason"), LIMITS.values(), ids=LIMITS)
def test_a_phase_that_is_overdue_ends_the_exchange(timeouts, idle, status, reason):
    world = World(idle=idle, timeouts=Timeouts(**timeouts), retry=RetryPolicy(0))
    client = world.ask()
    world.pass_time(0.9)
    assert client.sent == []
    world.pass_time(0.2)
    assert client.status == status
    assert world.ended == [reason]
    assert not world.link().waiting


def test_a_request_body_that_stalls_is_the_clients_fault():
    world = World()
    world.service.request_body_rate = 0
    client = world.ask("POST", body=b"a", length=9, end=False)
    world.pass_time(29)
    client.exchange.request_body(b"b", False)
    world.pass_time(29)
    assert client.sent == []
    world.pass_time(2)
    assert client.status == 408
    assert world.ended == ["request_body_timeout"]
    assert world.members[0].failures == 0


def test_a_response_that_stalls_is_broken_off():
    world = World(timeouts=Timeouts(idle=5.0))
    client = world.ask()
    world.link().answer(200, b"a", end=False)
    world.pass_time(4)
    world.link().more(b"b")
    world.pass_time(4)
    assert client.sent[-1] == ("body", b"b", False)
    world.pass_time(2)
    assert client.sent[-1] == ("cut off",)
    assert world.ended == ["idle_timeout"]


def test_a_client_that_takes_nothing_is_broken_off():
    world = World()
    client = world.ask()
    world.link().answer(200, b"a", end=False)
    client.exchange.stream_blocked()
    world.pass_time(61)
    assert client.sent[-1] == ("abort",)
    assert world.ended == ["client_write_timeout"]
    assert world.link().connection.aborted


def test_the_client_is_told_to_go_on_once():
    world = World()
    client = world.ask("POST", length=3, end=False, expect_continue=True)
    assert (b"Expect", b"100-continue") in world.link().connection.lines
    world.pass_time(1.1)
    world.link().attempts[0].response_informational(Response(100, Headers()))
    assert client.sent == [("informational", 100)]
    world.link().attempts[0].response_informational(Response(103, Headers()))
    assert client.sent[-1] == ("informational", 103)


def test_a_body_over_the_limit_is_refused_before_and_while_it_is_sent():
    world = World(body_limit=10)
    assert world.ask("POST", length=11, end=False).status == 413
    assert world.link().attempts == []
    client = world.ask("POST", body=b"a" * 6, length=UNKNOWN_LENGTH, end=False)
    client.exchange.request_body(b"b" * 6, False)
    assert client.status == 413
    assert world.link().connection.aborted
    assert world.ended == ["limit_body", "limit_body"]
    assert [message for message, _ in world.log.warnings] == ["request_refused"] * 2


def test_without_a_route_the_answer_is_404():
    world = World()
    world.service.find = lambda request: None
    client = world.ask()
    assert client.status == 404
    assert world.service.unrouted == 1


def test_an_error_for_head_has_no_content_and_counts_none():
    world = World()
    world.service.find = lambda request: None
    client = world.ask("HEAD")
    assert client.sent == [("head", 404, b"", True)]
    assert client.head.body_length > 0
    assert client.exchange.bytes_out == 0


def test_a_switch_makes_a_tunnel_with_a_time_limit_of_its_own():
    world = World(timeouts=Timeouts(idle=5.0, tunnel=50.0))
    client = world.ask("GET", upgrade=b"websocket")
    assert world.link().connection.sent == [("GET", "/", b"", True)]
    world.link().answer(101, b"hi", end=False)
    client.exchange.request_body(b"first", False)
    assert world.link().connection.sent[-1] == (b"first", False)
    world.link().more(b"more")
    client.exchange.request_body(b"data", False)
    world.pass_time(49)
    assert ("abort",) not in client.sent
    client.exchange.stream_blocked()
    client.exchange.stream_writable()
    world.pass_time(49)
    assert ("abort",) not in client.sent
    world.pass_time(2)
    assert client.sent[-1] == ("abort",)
    assert world.ended == ["idle_timeout"]
    assert world.members[0].failures == 0


def test_a_slow_stream_in_both_directions_is_limited_by_idle_alone():
    world = World(timeouts=Timeouts(idle=60.0))
    client = world.ask("POST", body=b"a", length=UNKNOWN_LENGTH, end=False)
    world.link().answer(200, b"b", end=False)
    for number in range(20):
        world.pass_time(50)
        if number % 2:
            client.exchange.request_body(b"c", False)
        else:
            world.link().more(b"d")
    assert ("cut off",) not in client.sent
    world.pass_time(61)
    assert client.sent[-1] == ("cut off",)
    assert world.ended == ["idle_timeout"]


def test_total_limits_a_stream_however_lively():
    world = World(timeouts=Timeouts(idle=60.0, total=100.0))
    client = world.ask("POST", body=b"a", length=UNKNOWN_LENGTH, end=False)
    world.link().answer(200, b"b", end=False)
    for _ in range(2):
        world.pass_time(45)
        client.exchange.request_body(b"c", False)
        world.link().more(b"d")
    assert ("cut off",) not in client.sent
    world.pass_time(11)
    assert client.sent[-1] == ("cut off",)
    assert world.ended == ["total_timeout"]


def test_every_end_is_a_word_that_the_log_knows():
    assert all(end_reason(failure) in END_REASONS for failure in Failure)
    assert all(phase.reason in END_REASONS for phase in PHASES if phase not in (EXPECT, PLUGIN))


def test_every_phase_ends_in_an_attempt_that_fails_in_an_error_or_in_an_abort():
    assert len({phase.name for phase in PHASES}) == len(PHASES)
    assert all(phase.timeout for phase in PHASES)
    assert {phase.name: phase.status for phase in PHASES if phase.failure is None} == {
        "expect": 0,
        "request_body": 408,
        "client_write": 0,
        "tunnel": 0,
        "plugin": 0,
    }
    assert all(phase.status in (503, 504) for phase in PHASES if phase.failure is not None)
