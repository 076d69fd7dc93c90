from __future__ import annotations

from typing import Any, ClassVar

import pytest

from adc.http.message import Response as Head
from adc.plugin import Context, Host, NoOptions, Plugin, Response
from adc.plugin.body import BodyTooLarge
from adc.plugin.chain import Chain
from adc.plugin.options import make_use
from adc.plugin.phase_call import Stopped
from adc.plugin.testkit import Trial, answer, request
from adc.plugin.testkit.services import FakeServices
from adc.plugin.use import PluginFailed, PluginStartFailed


class Idle(Plugin[NoOptions]):
    """Has no hook."""


class Heads(Plugin[NoOptions]):
    def request_head(self, context: Context) -> None:
        context.state["seen"] = True

    async def response_head(self, context: Context) -> None:
        """Leave the response as it is."""


class Answers(Plugin[NoOptions]):
    def request_head(self, context: Context) -> Response:
        return Response(403)


class Log:
    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []

    def warn(self, message: str, /, **fields: object) -> None:
        self.lines.append(fields)


def chain(*plugins: type[Plugin[Any]], **options: Any) -> Chain:
    return Chain("r", [make_use(plugin.__name__, plugin, options) for plugin in plugins])


def contexts(of: Chain, log: Log | None = None) -> list[Context]:
    return of.contexts(request(), "id", log or Log())


def test_only_defined_phases_are_compiled() -> None:
    compiled = chain(Idle, Heads, Idle)
    assert [call.index for call in compiled.request_head.calls] == [1]
    assert (compiled.request_body, compiled.responses.body, compiled.log) == ((), (), ())
    assert (compiled.request_head.waits, compiled.responses.head.waits) == (False, True)


def test_plugins_without_phases_compile_to_nothing() -> None:
    assert chain(Idle, Idle).empty
    assert not chain(Idle, Heads).empty


def test_responses_run_in_reverse() -> None:
    compiled = chain(Heads, Heads)
    assert [call.index for call in compiled.request_head.calls] == [0, 1]
    assert [call.index for call in compiled.responses.head.calls] == [1, 0]


def test_the_first_answer_ends_the_phase() -> None:
    compiled = chain(Heads, Answers, Heads)
    seen = contexts(compiled)
    stopped = compiled.request_head.run(seen, 3)
    assert stopped is not None
    assert (stopped.index, stopped.response.status) == (1, 403)
    assert [bool(context.state) for context in seen] == [True, False, False]
    assert compiled.uses[1].stopped.value == 1


def test_each_plugin_has_a_state_of_its_own() -> None:
    compiled = chain(Heads, Heads)
    first, second = contexts(compiled)
    compiled.request_head.run([first, second], 1)
    assert (first.state, second.state) == ({"seen": True}, {})


class Raises(Plugin[NoOptions]):
    def request_head(self, context: Context) -> None:
        raise RuntimeError("it broke")


def test_a_failure_stops_the_exchange_of_a_plugin_that_fails_closed() -> None:
    compiled, log = chain(Raises), Log()
    with pytest.raises(PluginFailed) as caught:
        compiled.request_head.run(contexts(compiled, log), 1)
    assert caught.value.status == 500
    assert compiled.uses[0].errors == {("request_head", "error"): 1}
    assert "RuntimeError: it broke" in str(log.lines[0]["detail"])
    assert (log.lines[0]["plugin"], log.lines[0]["route"]) == ("Raises", "r")


def test_a_failure_is_counted_and_passed_by_where_the_plugin_fails_open() -> None:
    compiled, log = chain(Raises, on_error="fail_open"), Log()
    assert compiled.request_head.run(contexts(compiled, log), 1) is None
    assert compiled.uses[0].errors == {("request_head", "error"): 1}
    assert len(log.lines) == 1


class Collects(Plugin[NoOptions]):
    request_body_limit = response_body_limit = 10

    def request_body(self, context: Context, data: bytes, end: bool) -> bytes | Response:
        assert end
        return Response(403) if data == b"attack" else data.upper()

    def response_body(self, context: Context, data: bytes, end: bool) -> bytes:
        return b"[" + data + b"]"


class Doubles(Plugin[NoOptions]):
    def request_body(self, context: Context, data: bytes, end: bool) -> bytes:
        return data * 2


def test_whole_and_piecewise_phases_keep_their_order() -> None:
    compiled = chain(Doubles, Collects)
    way = compiled.body(compiled.request_body, contexts(compiled), 2)
    assert way is not None
    assert (way.feed(b"ab", False), way.feed(b"c", True), way.limit) == (b"", b"ABABCC", 10)


def test_request_content_over_the_limit_is_refused_at_once() -> None:
    compiled = chain(Collects)
    way = compiled.body(compiled.request_body, contexts(compiled), 1)
    assert way is not None
    assert way.feed(b"x" * 10, False) == b""
    with pytest.raises(BodyTooLarge):
        way.feed(b"x", False)


def test_response_content_over_the_limit_goes_on_untouched_if_the_plugin_fails_open() -> None:
    compiled = chain(Collects, on_error="fail_open")
    way = compiled.body(compiled.responses.body, contexts(compiled), 1)
    assert way is not None
    pieces = [way.feed(b"12345678", False), way.feed(b"9ab", False), way.feed(b"c", True)]
    assert (pieces, way.withholds) == ([b"", b"123456789ab", b"c"], False)
    assert compiled.uses[0].errors == {("response_body", "limit"): 1}


def test_a_plugin_may_answer_after_it_saw_the_content() -> None:
    compiled = chain(Collects)
    way = compiled.body(compiled.request_body, contexts(compiled), 1)
    assert way is not None
    assert way.feed(b"att", False) == b""
    assert isinstance(way.feed(b"ack", True), Stopped)


def test_a_plugin_may_leave_content_alone() -> None:
    compiled = chain(Collects, Collects)
    seen = contexts(compiled)
    seen[0].skip_request_body()
    seen[1].skip_request_body()
    assert compiled.body(compiled.request_body, seen, 2) is None


def test_a_retired_chain_is_idle_after_its_last_exchange() -> None:
    compiled, told = chain(Heads), []
    compiled.enter()
    compiled.enter()
    compiled.retire(lambda: told.append("idle"))
    compiled.leave()
    assert told == []
    compiled.leave()
    assert told == ["idle"]


class Life(Plugin[NoOptions]):
    events: ClassVar[list[str]] = []

    async def start(self, host: Host) -> None:
        self.events.append("start")

    async def close(self) -> None:
        self.events.append("close")
        raise RuntimeError("assignment")


class NoStart(Plugin[NoOptions]):
    async def start(self, host: Host) -> None:
        raise OSError("no database")


async def test_a_chain_starts_whole_or_not_at_all() -> None:
    Life.events.clear()
    with pytest.raises(PluginStartFailed, match="plugin NoStart does not start: OSError: no database"):
        await chain(Life, NoStart).start(FakeServices())
    assert Life.events == ["start", "close"]


async def test_every_plugin_is_closed_whatever_another_does() -> None:
    Life.events.clear()
    problems = await chain(Life, Life).close()
    assert (len(problems), Life.events) == (2, ["close", "close"])


class Counting(Plugin[NoOptions]):
    async def start(self, host: Host) -> None:
        self.host = host
        self.seen = host.counter("seen", "Statuses added up.")

    def log(self, context: Context, record: Any) -> None:
        self.seen.add(record.status)

    def request_head(self, context: Context) -> None:
        if context.request.method == "BREW":
            self.host.counter("tea", "Too late.")


def test_counters_are_declared_at_start_and_kept_over_reloads() -> None:
    trial = Trial(Counting)
    trial.run(request(), answer(204))
    assert trial.counters == {"seen": 204}
    assert trial.run(request("BREW")).response.status == 500
    assert trial.errors == {("request_head", "error"): 1}
    assert trial.counters == {"seen": 704}


class Upper(Plugin[NoOptions]):
    async def request_body(self, context: Context, data: bytes, end: bool) -> bytes:
        return data.upper()

    def response_body(self, context: Context, data: bytes, end: bool) -> bytes:
        context.warn("seen", size=len(data))
        return data.title()


def test_a_trial_shows_both_directions() -> None:
    outcome = Trial(Upper).run(request("POST"), answer(201, {"X-A": "b"}, b"made it"), body=[b"a", b"b"])
    assert (outcome.request_body, outcome.body, outcome.stopped) == (b"AB", b"Made It", False)
    assert isinstance(outcome.response, Head)
    assert outcome.messages[0]["size"] == 7


def test_a_trial_of_a_plugin_that_answers_asks_no_member() -> None:
    outcome = Trial(Answers).run()
    assert (outcome.response.status, outcome.stopped, outcome.request_body) == (403, True, None)
