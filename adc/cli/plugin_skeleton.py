"""What `adc plugins new` writes; `@name@` and `@Class@` are filled in."""

from __future__ import annotations

MODULE = '''"""What this plugin is for, in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

from adc.plugin import Context, Plugin, Response


@dataclass(frozen=True)
class @Class@Options:
    """Options of @name@; a configuration that gives others is refused."""

    greeting: str = "hello"
    blocked_path: str = "/blocked/"


class @Class@(Plugin[@Class@Options]):
    """Greets in a response field, and blocks a path."""

    counted = ("blocked",)

    def __init__(self, options: @Class@Options) -> None:
        super().__init__(options)
        if not options.greeting.isprintable():
            raise ValueError("greeting: printable characters only")
        self._greeting = options.greeting.encode("latin-1", "replace")

    def request_head(self, context: Context) -> Response | None:
        """Before a member is asked: a Response here is the answer, None goes on."""
        if context.request.path.startswith(self.options.blocked_path):
            self.count("blocked")
            return Response(403, {"Content-Type": "text/plain"}, "This path is blocked.\\n")
        return None

    def response_head(self, context: Context) -> None:
        """Before the response is sent: its fields may change."""
        if context.response is not None:
            context.response.headers.set(b"X-Greeting", self._greeting)
'''

TEST = """from __future__ import annotations

import pytest
from @name@ import @Class@

from adc.plugin.options import OptionErrors
from adc.plugin.testkit import Trial, request


def test_responses_are_greeted() -> None:
    outcome = Trial(@Class@, {"greeting": "good morning"}).run()
    assert outcome.response.headers.get(b"x-greeting") == b"good morning"


def test_a_blocked_path_is_refused_and_counted() -> None:
    trial = Trial(@Class@)
    outcome = trial.run(request(target="/blocked/page"))
    assert (outcome.response.status, outcome.request_body) == (403, None)
    assert trial.counters == {"blocked": 1}


def test_unknown_options_are_refused() -> None:
    with pytest.raises(OptionErrors, match="greting"):
        Trial(@Class@, {"greting": "hello"})
"""
