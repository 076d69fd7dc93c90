"""What all SMTP connections of a listener share; a reload changes it in place."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from adc.sessions.session import Timeouts
from adc.smtp.routing import MailRoute
from adc.telemetry.event_log import trace_of

if TYPE_CHECKING:
    from adc.net.clock import Clock
    from adc.net.listener_state import ListenerState
    from adc.sessions.table import SessionTable
    from adc.smtp.auth import Authenticator
    from adc.smtp.mail_log import MailRecord, MailRefusal
    from adc.smtp.mail_pool import MailPool
    from adc.telemetry.error_log import ErrorLog


class SmtpSettings:
    """Limits (bytes, counts), timeouts (seconds), routes and pools.

    `tls` is the context of STARTTLS, None where it is not offered; `tls_required` rejects mail before it. `counts`
    holds ended messages by pool and result, `refusals` refused connections and commands by reason. `expiry` is how
    both ends of an expired session are closed: reset, close or silent. `keep_alive` is the interval of probes to a
    client in seconds, 0 for none.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        state: ListenerState,
        sessions: SessionTable,
        refusals: dict[str, int],
        error_log: ErrorLog,
    ) -> None:
        self.name = name
        self.clock = clock
        self.state = state
        self.refusals = refusals
        self.hostname = "localhost"
        self.routes: Sequence[MailRoute] = ()
        self.pools: Mapping[str, MailPool] = {}
        self.tls: ssl.SSLContext | None = None
        self.tls_required = False
        self.auth: Authenticator | None = None
        self.auth_required = False
        self.auth_without_tls = False
        self.extensions: frozenset[str] = frozenset()
        self.split = True
        self.received = True
        self.xclient = False
        self.size_limit = 50 << 20
        self.recipient_limit = 1000
        self.message_limit = 0
        self.idle_commands = 100
        self.error_limit = 20
        self.line_limit = 65536
        self.hop_limit = 50
        self.command_timeout = 300.0
        self.content_timeout = 180.0
        self.message_timeout = 3600.0
        self.connect_timeout = 10.0
        self.reply_timeout = 300.0
        self.delivery_timeout = 600.0
        self.handshake_timeout = 10.0
        self.sessions = sessions
        self.session_timeouts = Timeouts(350.0, 350.0, 30.0)
        self.expiry = "reset"
        self.keep_alive = 0.0
        self.error_log = error_log
        self.record: Callable[[MailRecord | MailRefusal], None] = _ignore
        self.counts: dict[tuple[str, str], int] = {}

    def refuse(self, reason: str, client: str, detail: str = "") -> None:
        """Count and log a refused connection or message."""
        self.refusals[reason] = self.refusals.get(reason, 0) + 1
        self.error_log.warn("smtp_refused", reason=reason, client=client, listener=self.name, detail=detail)

    def fail(self, error: Exception) -> None:
        """Log a defect of adc that ended a command."""
        self.error_log.error(
            "smtp_session_failed", listener=self.name, error=type(error).__name__, trace=trace_of(error)
        )


def _ignore(record: MailRecord | MailRefusal) -> None:
    """No-op: there is no mail log."""
