"""Plugins may give the request another query, and let large responses pass."""

import pytest

from adc.plugin import NoOptions, Plugin
from adc.plugin.context import Context
from adc.plugin.testkit import Trial, answer, request


@pytest.mark.parametrize(("query", "target"), [("b=2", "/a?b=2"), ("", "/a")])
def test_query_is_replaced(query, target):
    head = request(target="/a?x=1")
    context = Context("p", "r", head, "id", None)
    context.set_query(query)
    assert (head.target, head.query, head.path) == (target, query, "/a")


@pytest.mark.parametrize("query", ["a b", "a#b", "a\r\nb", "é"])
def test_query_that_cannot_be_sent_is_refused(query):
    context = Context("p", "r", request(target="/a?x=1"), "id", None)
    with pytest.raises(ValueError, match="characters"):
        context.set_query(query)
    assert context.request.target == "/a?x=1"


class Whole(Plugin[NoOptions]):
    response_body_limit = 10

    def response_body(self, context, data, end):
        return b"[" + data + b"]"


class Lenient(Whole):
    options_type = NoOptions
    passes_larger = True


@pytest.mark.parametrize(("plugin", "status", "body"), [(Whole, 500, b""), (Lenient, 200, b"x" * 11)])
def test_response_over_the_limit_passes_if_the_plugin_says_so(plugin, status, body):
    outcome = Trial(plugin, {}).run(request(), answer(body=[b"x" * 6, b"x" * 5]))
    assert (outcome.response.status, outcome.body) == (status, body)
    assert Trial(plugin, {}).run(request(), answer(body=b"x" * 10)).body == b"[xxxxxxxxxx]"
