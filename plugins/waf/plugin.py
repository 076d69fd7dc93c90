"""The firewall as a plugin: phases of an exchange are phases of rules, interventions are responses."""

from __future__ import annotations

from collections.abc import Iterable

from adc_plugins.waf.configured_rules import ConfiguredRules, configured_rules
from adc_plugins.waf.content import inspected
from adc_plugins.waf.engine.persistent import NothingKept, Persistent
from adc_plugins.waf.engine.results import Intervention
from adc_plugins.waf.engine.transaction import Transaction
from adc_plugins.waf.facts import joined, request_facts, response_lines
from adc_plugins.waf.options import WafOptions
from adc_plugins.waf.persistent import TableCollections
from adc_plugins.waf.reports import Reports
from adc_plugins.waf.shared_rules import ruleset_of
from adc_plugins.waf.tools.exclusion import dead_exclusions
from adc_plugins.waf.verdict import UNSUPPORTED, response_of

from adc.plugin import Context, Host, LogRecord, Plugin, Response

_STATE = "transaction"
_ENGINES = {"block": "on", "detect": "detect"}
_KEEPS_COLLECTIONS = ("initcol", "setsid", "setuid", "setrsc")


class TimeLimit(Exception):
    """Not all rules were evaluated."""


class Waf(Plugin[WafOptions]):
    """Web application firewall for rules of ModSecurity, such as the OWASP CRS."""

    def __init__(self, options: WafOptions) -> None:
        super().__init__(options)
        self.disabled = options.mode == "off"
        self.observes = options.mode == "detect"
        self.configured = ConfiguredRules((), ()) if self.disabled else configured_rules(options)
        """The rules as written."""
        self._persistent: Persistent = NothingKept()

    async def start(self, host: Host) -> None:
        if self.disabled:
            return
        self._host = host
        self._rules = await ruleset_of(
            self.configured, _ENGINES[self.options.mode], host.cache_folder(), self._report_failure
        )
        settings = self._rules.program.settings
        self.request_body_inspect = max(1, settings.request_body_limit)
        self.response_body_inspect = max(1, settings.response_body_limit)
        if any(word in text for _, text in self.configured.sources for word in _KEEPS_COLLECTIONS):
            options = self.options
            table = host.table("collections", options.collections, options.collections_scope)
            self._persistent = TableCollections(table)
        self._reports = Reports(self.options, host)
        self.configured = ConfiguredRules((), ())

    def warnings(self) -> Iterable[str]:
        if self.disabled:
            return []
        program = self._rules.program
        dead = dead_exclusions(program, self._host.wall())
        return [str(each) for each in (*program.warnings, *dead)]

    def _report_failure(self, rule: str, error: Exception) -> None:
        self._host.warn("a rule failed", rule=rule, error=f"{type(error).__name__}: {error}")

    def request_head(self, context: Context) -> Response | None:
        """Run phase 1."""
        transaction = self._rules.transaction(request_facts(context, self._host.wall()), self._persistent)
        context.state[_STATE] = transaction
        return _verdict(transaction, transaction.request_head())

    def request_body(self, context: Context, data: bytes, end: bool) -> Response | None:
        """Run phase 2 on the decoded beginning of the content."""
        transaction: Transaction | None = context.state.get(_STATE)
        if transaction is None:
            return None
        if not (data and transaction.wants_request_body):
            return _verdict(transaction, transaction.request_body(b"", False))
        coding = joined(context.request.received_lines, b"content-encoding")
        content = inspected(data, coding, transaction.request_body_limit, end)
        found = _verdict(transaction, transaction.request_body(content.content, content.truncated))
        if not content.error:
            return found
        self._reports.undecodable(context, content.error)
        return found or Response(UNSUPPORTED, error_page=True)

    def response_head(self, context: Context) -> Response | None:
        """Run phase 3."""
        transaction, response = context.state.get(_STATE), context.response
        if transaction is None or response is None:
            return None
        found = transaction.response_head(response.status, b"HTTP/1.1", response_lines(response))
        if found is None and not transaction.wants_response_body(
            response.headers.get(b"content-type") or b""
        ):
            context.skip_response_body()
            found = transaction.response_body(b"", False)
        return _verdict(transaction, found)

    def response_body(self, context: Context, data: bytes, end: bool) -> Response | None:
        """Run phase 4 on the decoded beginning of the content."""
        transaction, response = context.state.get(_STATE), context.response
        if transaction is None or response is None:
            return None
        coding = response.headers.joined(b"content-encoding") or b""
        content = inspected(data, coding, transaction.response_body_limit, end)
        return _verdict(transaction, transaction.response_body(content.content, content.truncated))

    def log(self, context: Context, record: LogRecord) -> None:
        """Run phase 5 and report."""
        transaction: Transaction | None = context.state.get(_STATE)
        if transaction is not None:
            transaction.logging()
            self._reports.report(context, record, transaction)


def _verdict(transaction: Transaction, intervention: Intervention | None) -> Response | None:
    """Return the response, None to go on. Raises TimeLimit if rules were left out, so that `on_error` decides."""
    if intervention is not None:
        return response_of(intervention)
    if "seconds" in transaction.reached:
        raise TimeLimit("the rules took too long; some were not evaluated")
    return None
