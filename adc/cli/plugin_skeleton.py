"""The files that `adc plugins new` writes; `@name@`, `@Class@` and `@id@` are replaced."""

from __future__ import annotations

MODULE = '''"""Describe the purpose of this plugin in one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from adc.plugin import Context, Host, Plugin, Response


@dataclass(frozen=True)
class @Class@Options:
    """Options of @name@; a configuration with other options is rejected."""

    greeting: str = "hello"
    blocked_path: str = "/blocked/"


class @Class@(Plugin[@Class@Options]):
    """Greets in a response field, and blocks a path."""

    def __init__(self, options: @Class@Options) -> None:
        super().__init__(options)
        if not options.greeting.isprintable():
            raise ValueError("greeting: printable characters only")
        self._greeting = options.greeting.encode("latin-1", "replace")

    async def start(self, host: Host) -> None:
        """Declare counters, gauges and shared tables; begin background work."""
        self._blocked = host.counter("blocked", "Requests blocked by their path.")

    def request_head(self, context: Context) -> Response | None:
        """Return a Response to answer the client, or None to let the request pass."""
        if context.request.path.startswith(self.options.blocked_path):
            self._blocked.add()
            return Response(403, {"Content-Type": "text/plain"}, "This path is blocked.\\n")
        return None

    def response_head(self, context: Context) -> None:
        """Change the fields of the response."""
        if context.response is not None:
            context.response.headers.set(b"X-Greeting", self._greeting)
'''

TEST = """from __future__ import annotations

import pytest
from @name@ import @Class@

from adc.plugin.testkit import OptionErrors, Trial, request


def test_response_carries_the_greeting() -> None:
    outcome = Trial(@Class@, {"greeting": "good morning"}).run()
    assert outcome.response.headers.get(b"x-greeting") == b"good morning"


def test_blocked_path_returns_403_and_is_counted() -> None:
    trial = Trial(@Class@)
    outcome = trial.run(request(target="/blocked/page"))
    assert (outcome.response.status, outcome.request_body) == (403, None)
    assert trial.counters == {"blocked": 1}


def test_unknown_option_is_rejected() -> None:
    with pytest.raises(OptionErrors, match="greting"):
        Trial(@Class@, {"greting": "hello"})
"""

RULE = '''"""Rules for the firewall. Check the examples: adc waf test @name@.py"""

from __future__ import annotations

from adc_plugins.waf import Exchange, Item, rule


@rule(
    id=@id@,
    message="The debug switch of the application is on",
    phase="request_body",
    severity="critical",
    matches=[
        "GET /?debug=1",
        """
        POST /settings
        Content-Type: application/json

        {"debug": "1"}
        """,
    ],
    not_matches=["GET /?debug=0", "GET /debug?page=1"],
)
def @name@(exchange: Exchange) -> Item | None:
    """Return the argument that switches debugging on, None without one."""
    for item in exchange.arguments:
        if item.name.removeprefix("json.") == "debug" and item.value == "1":
            return item
    return None
'''
