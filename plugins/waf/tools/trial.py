"""Requests against rules, without a server."""

from __future__ import annotations

import time
from collections.abc import Callable

from adc_plugins.waf.code.examples import ExampleRequest, ExampleResponse, Fields
from adc_plugins.waf.collect.facts import RequestFacts
from adc_plugins.waf.engine import Ruleset, Transaction

OK = ExampleResponse(200, (), b"")
Clock = Callable[[], float]


def run(
    ruleset: Ruleset,
    request: ExampleRequest,
    response: ExampleResponse = OK,
    client: str = "192.0.2.1",
    clock: Clock = time.time,
) -> Transaction:
    """Return the transaction of a request and the response to it, after all phases that it comes to."""
    transaction = ruleset.transaction(facts_of(request, client, clock()))
    if not (transaction.request_head() or transaction.request_body(request.body, False)):
        _respond(transaction, response)
    transaction.logging()
    return transaction


def facts_of(request: ExampleRequest, client: str, now: float) -> RequestFacts:
    """Return the facts of a request from `client`."""
    return RequestFacts(
        _bytes(request.method),
        _bytes(request.target),
        request.protocol.encode(),
        _lines(request.headers),
        client.encode(),
        0,
        b"127.0.0.1",
        80,
        b"trial",
        now,
    )


def _respond(transaction: Transaction, response: ExampleResponse) -> None:
    lines = _lines(response.headers)
    if transaction.response_head(response.status, b"HTTP/1.1", lines):
        return
    kind = next((value for name, value in lines if name.lower() == b"content-type"), b"")
    inspected = response.body if transaction.wants_response_body(kind) else b""
    transaction.response_body(inspected, False)


def _lines(headers: Fields) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((_bytes(name), _bytes(value)) for name, value in headers)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
