"""Request and response as variables: `Variables.get("ARGS")`. Each is computed at its first use, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adc_plugins.waf.bodies.parsed import Limits, Pair
from adc_plugins.waf.collect import request_body, request_head, response
from adc_plugins.waf.collect.exchange import Collection, Exchange, Scalar, names_of
from adc_plugins.waf.collect.facts import RequestFacts

_SCALARS: Final[dict[str, Scalar]] = {**request_head.SCALARS, **request_body.SCALARS, **response.SCALARS}
_COLLECTIONS: Final[dict[str, Collection]] = {
    **request_head.COLLECTIONS,
    **request_body.COLLECTIONS,
    **response.COLLECTIONS,
}
_OF_REQUEST_BODY: Final = request_body.SCALARS.keys() | request_body.COLLECTIONS.keys()
_OF_RESPONSE: Final = response.SCALARS.keys() | response.COLLECTIONS.keys()
_DEFAULT_LIMITS: Final = Limits()

NAMES: Final = frozenset(_SCALARS) | frozenset(_COLLECTIONS) | {"REQUEST_COOKIES_NAMES"}
"""The variables that `Variables.get` computes."""


class Variables:
    """The variables of one exchange; those of the transaction (TX, MATCHED_VAR, RULE, ...) are the engine's."""

    __slots__ = ("_by_key", "_exchange", "_values", "_xml")

    def __init__(self, facts: RequestFacts, limits: Limits = _DEFAULT_LIMITS) -> None:
        self._exchange = Exchange(facts, limits)
        self._values: dict[str, Sequence[Pair]] = {}
        self._by_key: dict[str, dict[bytes, list[Pair]]] = {}
        self._xml: dict[tuple[str, tuple[tuple[str, str], ...]], Sequence[Pair]] = {}

    @property
    def processor(self) -> str:
        """The processor of the request's body, empty for none: as Content-Type or a rule says."""
        return self._exchange.processor

    def choose_processor(self, name: str) -> None:
        """Set the processor as `ctl:requestBodyProcessor` says; no effect once the body is there."""
        if not self._exchange.body_received:
            self._exchange.processor = name
            self._forget(_OF_REQUEST_BODY)

    def force_request_body(self) -> None:
        """Let REQUEST_BODY hold a body of any processor (`ctl:forceRequestBodyVariable`)."""
        self._exchange.body_forced = True
        self._forget(_OF_REQUEST_BODY)

    def set_request_body(self, content: bytes, truncated: bool, processor: str) -> None:
        """Add the request's body; `truncated` if more of it exists than `content`."""
        exchange = self._exchange
        exchange.body = content
        exchange.body_truncated = truncated
        exchange.body_received = bool(content)
        exchange.processor = processor
        self._forget(_OF_REQUEST_BODY)
        self._xml.clear()

    def set_response_head(self, status: int, protocol: bytes, headers: Sequence[Pair]) -> None:
        """Add the response's head; `protocol` such as `HTTP/1.1`."""
        exchange = self._exchange
        exchange.response_status = status
        exchange.response_protocol = protocol
        exchange.response_headers = headers
        self._forget(_OF_RESPONSE)

    def set_response_body(self, content: bytes, truncated: bool) -> None:
        """Add the response's body; `truncated` if more of it exists than `content`."""
        self._exchange.response_body = content
        self._exchange.response_truncated = truncated
        self._forget(_OF_RESPONSE)

    def get(self, name: str) -> Sequence[Pair]:
        """Return key and value of each item of the variable `name`; a variable of one value has the key `b""`."""
        values = self._values.get(name)
        if values is None:
            values = self._values[name] = self._compute(name)
        return values

    def select(self, name: str, key: bytes) -> Sequence[Pair]:
        """Return the items of the variable `name` whose key is `key` (lower-case), in any case of letters."""
        index = self._by_key.get(name)
        if index is None:
            index = self._by_key[name] = {}
            for pair in self.get(name):
                index.setdefault(pair[0].lower(), []).append(pair)
        return index.get(key, ())

    def xml(self, expression: str, namespaces: tuple[tuple[str, str], ...] = ()) -> Sequence[Pair]:
        """Return the text of each node of an XML body that the XPath `expression` selects, such as `/*` or `//@*`.

        `namespaces` are pairs of prefix and URI. A body that is not accepted is one item, as received.
        """
        found = self._xml.get((expression, namespaces))
        if found is None:
            document = self._exchange.parsed.document
            found = document.select(expression, namespaces) if document else ()
            self._xml[expression, namespaces] = found
        return found

    def _compute(self, name: str) -> Sequence[Pair]:
        scalar = _SCALARS.get(name)
        if scalar is not None:
            return ((b"", scalar(self._exchange)),)
        collection = _COLLECTIONS.get(name)
        if collection is not None:
            return collection(self._exchange)
        return names_of(self.get("REQUEST_COOKIES")) if name == "REQUEST_COOKIES_NAMES" else ()

    def _forget(self, names: frozenset[str] | set[str]) -> None:
        for name in self._values.keys() & names:
            del self._values[name]
            self._by_key.pop(name, None)
