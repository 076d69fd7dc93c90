"""One exchange, phase by phase."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adc_plugins.waf.engine.numbers import number_of
from adc_plugins.waf.engine.results import Intervention, RuleMatch, Scores
from adc_plugins.waf.engine.state import DETECT, OFF, ON, State
from adc_plugins.waf.seclang.model import Settings

RunPhase = Callable[[int, State], None]
"""Evaluates the rules of a phase until one intervenes."""

_HEAVY = 65_536
"""Bytes of a body from which on the time is checked after every rule."""
_TOO_LARGE = 413
_BAD_RESPONSE = 500


class Transaction:
    """Runs the phases in order. Once a phase intervenes, only `logging` runs rules."""

    def __init__(self, settings: Settings, state: State, run: RunPhase) -> None:
        self._settings = settings
        self._state = state
        self._run = run

    def request_head(self) -> Intervention | None:
        """Run phase 1."""
        return self._phase(1)

    def request_body(self, content: bytes, truncated: bool) -> Intervention | None:
        """Run phase 2, also for a request without body; `truncated` if more of it exists than `content`."""
        state = self._state
        if content and self.wants_request_body:
            state.variables.set_request_body(content, truncated, state.variables.processor)
            state.heavy = len(content) > _HEAVY
            state.forget_items()
            if truncated and self._settings.request_body_limit_action == "reject":
                return self._refuse(_TOO_LARGE)
        return self._phase(2)

    def response_head(
        self, status: int, protocol: bytes, headers: Sequence[tuple[bytes, bytes]]
    ) -> Intervention | None:
        """Run phase 3."""
        self._state.variables.set_response_head(status, protocol, headers)
        self._state.forget_items()
        return self._phase(3)

    def response_body(self, content: bytes, truncated: bool) -> Intervention | None:
        """Run phase 4, also for a response without body."""
        if content:
            self._state.variables.set_response_body(content, truncated)
            self._state.heavy = self._state.heavy or len(content) > _HEAVY
            self._state.forget_items()
            if truncated and self._settings.response_body_limit_action == "reject":
                return self._refuse(_BAD_RESPONSE)
        return self._phase(4)

    def logging(self) -> None:
        """Run phase 5 and store persistent collections."""
        state = self._state
        if state.engine == OFF:
            return
        state.allowed = ""
        intervention, state.intervention = state.intervention, None
        self._run(5, state)
        state.intervention = intervention
        for collection in state.collections.values():
            collection.store(state.persistent)

    def _phase(self, phase: int) -> Intervention | None:
        state = self._state
        if state.engine == OFF or state.intervention is not None:
            return state.intervention
        if state.allowed == "phase" or (state.allowed == "request" and phase > 2):
            state.allowed = ""
        if not state.allowed:
            self._run(phase, state)
        return state.intervention

    def _refuse(self, status: int) -> Intervention | None:
        """Intervene without a rule."""
        intervention = Intervention(status, "deny")
        if self._state.engine == ON:
            self._state.intervention = intervention
        elif self._state.engine == DETECT and self._state.detected is None:
            self._state.detected = intervention
        return self._state.intervention

    @property
    def engine(self) -> str:
        """`on`, `off` or `detect`, as rules have left it."""
        return self._state.engine

    @property
    def matches(self) -> list[RuleMatch]:
        """The matches of rules that log, in their order."""
        return self._state.matches

    @property
    def detected(self) -> Intervention | None:
        """The first intervention that detection only has kept from happening."""
        return self._state.detected

    @property
    def intervention(self) -> Intervention | None:
        """The intervention that took place."""
        return self._state.intervention

    @property
    def reached(self) -> frozenset[str]:
        """Names of the limits that were reached."""
        return frozenset(self._state.reached)

    @property
    def audit_engine(self) -> str:
        """The value of `ctl:auditEngine`, empty if no rule set it."""
        return self._state.controls.get("auditengine", "")

    @property
    def wants_request_body(self) -> bool:
        """True if the request's body is inspected."""
        access = self._state.controls.get("requestbodyaccess")
        return self._state.engine != OFF and (
            self._settings.request_body_access if access is None else access == "on"
        )

    @property
    def request_body_limit(self) -> int:
        """Bytes of the request's body that are inspected."""
        limit = self._state.controls.get("requestbodylimit", "")
        return int(limit) if limit.isdigit() else self._settings.request_body_limit

    @property
    def response_body_limit(self) -> int:
        """Bytes of the response's body that are inspected."""
        limit = self._state.controls.get("responsebodylimit", "")
        return int(limit) if limit.isdigit() else self._settings.response_body_limit

    def wants_response_body(self, content_type: bytes) -> bool:
        """Return True if a response body of this Content-Type is inspected."""
        access = self._state.controls.get("responsebodyaccess")
        wanted = self._settings.response_body_access if access is None else access == "on"
        kind = content_type.partition(b";")[0].strip().lower().decode("latin-1")
        return self._state.engine != OFF and wanted and kind in self._settings.response_body_mime_types

    @property
    def scores(self) -> Scores:
        """The anomaly scores so far."""
        return Scores(
            self._score(b"blocking_inbound_anomaly_score"),
            self._score(b"blocking_outbound_anomaly_score"),
            self._levels(b"inbound_anomaly_score_pl%d"),
            self._levels(b"outbound_anomaly_score_pl%d"),
            self._score(b"inbound_anomaly_score_threshold"),
            self._score(b"outbound_anomaly_score_threshold"),
        )

    def _score(self, name: bytes) -> int:
        return number_of(self._state.tx.get(name, b""))

    def _levels(self, name: bytes) -> tuple[int, int, int, int]:
        first, second, third, fourth = (self._score(name % level) for level in range(1, 5))
        return first, second, third, fourth
