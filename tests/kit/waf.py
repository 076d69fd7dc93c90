"""Transactions of the firewall in process."""

from __future__ import annotations

from adc_plugins.waf.collect.facts import RequestFacts
from adc_plugins.waf.engine import Ruleset, RulesetOptions, Transaction

from tests.kit.crs import Response, WireRequest

BROWSER_HEADERS = (
    (b"Host", b"shop.example"),
    (b"User-Agent", b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
    (b"Accept", b"*/*"),
)
PLAIN_RESPONSE = Response(200, (), b"")
_TEXT = ((b"Content-Type", b"text/plain; charset=utf-8"),)


def facts(method=b"GET", target=b"/", headers=BROWSER_HEADERS, protocol=b"HTTP/1.1", time=1_800_000_000.0):
    """Return the facts of a request from 127.0.0.1."""
    return RequestFacts(
        method, target, protocol, headers, b"127.0.0.1", 40_000, b"127.0.0.1", 80, b"aGVsbG8", time
    )


def rules(text: str, **options) -> Ruleset:
    """Return the rules of `text`, which is loaded as `test.conf`."""
    return Ruleset.load([("test.conf", text)], RulesetOptions(**options))


def run(ruleset: Ruleset, request=None, body=b"", response=PLAIN_RESPONSE, persistent=None) -> Transaction:
    """Run all phases, those of the response only if no rule intervened."""
    given = () if persistent is None else (persistent,)
    transaction = ruleset.transaction(request or facts(), *given)
    if not (transaction.request_head() or transaction.request_body(body, False)):
        transaction.response_head(response.status, b"HTTP/1.1", response.headers or _TEXT)
        transaction.response_body(response.body, False)
    transaction.logging()
    return transaction


def run_wire(ruleset: Ruleset, request: WireRequest, response: Response | None) -> Transaction:
    """Run all phases for a request of the regression tests."""
    given = facts(request.method, request.target, request.headers, request.protocol)
    return run(ruleset, given, request.body, response or PLAIN_RESPONSE)


def matched_ids(transaction: Transaction) -> list[int]:
    """Return the ids of the rules that logged a match, in order."""
    return [match.rule_id for match in transaction.matches]
