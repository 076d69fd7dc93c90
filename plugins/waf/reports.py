"""What is said of a transaction in which rules matched: audit log, error log, metrics."""

from __future__ import annotations

from adc_plugins.waf.audit import AuditRecords
from adc_plugins.waf.engine.transaction import Transaction
from adc_plugins.waf.masking import Masking
from adc_plugins.waf.options import WafOptions

from adc.plugin import Context, Host, LineWriter, LogRecord

_MOST_RULES = 2000
_MOST_IN_LINE = 20


class Reports:
    """The reports of one use of the plugin. Declares its metrics and opens its log file."""

    def __init__(self, options: WafOptions, host: Host) -> None:
        self._host = host
        self._records = AuditRecords(options.mode, Masking(options.masked))
        path = options.audit_log
        self._audit_log: LineWriter | None = host.log_file(path) if path is not None else None
        self._rules = host.keyed_counter("rule_matches", "Matches by rule.", _MOST_RULES)
        self._transactions = host.keyed_counter(
            "transactions", "Transactions with matches, by what became of them.", 10
        )
        self._undecodable = host.counter("undecodable", "Requests whose content could not be decoded.")
        self._limited = host.keyed_counter(
            "limits", "Transactions that reached a limit of the engine, by limit.", 20
        )

    def undecodable(self, context: Context, error: str) -> None:
        """Report request content that is not in its coding."""
        self._undecodable.add()
        context.warn("the request content cannot be decoded", error=error)

    def report(self, context: Context, record: LogRecord, transaction: Transaction) -> None:
        """Report a transaction that is over, unless no rule matched."""
        for limit in transaction.reached:
            self._limited.add(limit)
        matches = transaction.matches
        if not matches and transaction.intervention is None and transaction.detected is None:
            return
        for match in matches:
            self._rules.add(str(match.rule_id))
        action, status = _outcome(transaction, record)
        self._transactions.add(action)
        scores = transaction.scores
        context.warn(
            "rules matched",
            action=action,
            status=status,
            client=context.client,
            rules=_ids(transaction),
            inbound_score=scores.inbound,
            outbound_score=scores.outbound,
        )
        if self._audit_log is not None and transaction.audit_engine != "off":
            now = self._host.wall()
            self._audit_log.append(self._records.line(context, now, action, status, scores, matches))


def _outcome(transaction: Transaction, record: LogRecord) -> tuple[str, int]:
    """Return what became of the transaction, in detect mode what would have, and the status of that."""
    if transaction.intervention is not None:
        return transaction.intervention.action, record.status
    if transaction.detected is not None:
        return f"would_{transaction.detected.action}", transaction.detected.status
    return "pass", record.status


def _ids(transaction: Transaction) -> str:
    """Return the ids of the rules that matched, each once."""
    ids = list(dict.fromkeys(str(match.rule_id) for match in transaction.matches))
    more = f",+{len(ids) - _MOST_IN_LINE}" if len(ids) > _MOST_IN_LINE else ""
    return ",".join(ids[:_MOST_IN_LINE]) + more
