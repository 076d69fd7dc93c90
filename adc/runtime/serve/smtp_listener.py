"""The listener of mail: its sessions, routes and pools."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from functools import partial

from adc.config.model.listeners import Listener
from adc.config.model.smtp import Smtp
from adc.net.handshake import Handshake
from adc.net.names import Names
from adc.net.tls import ServerTls
from adc.runtime.assembly import smtp as build
from adc.runtime.assembly.runtime import Runtime
from adc.runtime.serve.listener import ListenerContext
from adc.runtime.serve.logs import Logs
from adc.runtime.serve.stream_listener import StreamListener
from adc.smtp.connection import SmtpConnection
from adc.smtp.mail_log import MailRecord, MailRefusal
from adc.smtp.settings import SmtpSettings
from adc.smtp.shed import ShedConnection
from adc.telemetry.samples import Sample

_SHARED_SECONDS = 0.5
"""Age of an answer that members of one name share: below the shortest interval of lookups."""


class SmtpListener(StreamListener):
    """Relays messages to the pools that the listener's routes choose."""

    def __init__(self, name: str, context: ListenerContext, runtime: Runtime, logs: Logs) -> None:
        super().__init__(name, context, runtime, logs)
        self.settings = SmtpSettings(
            name, context.clock, self.state, context.sessions.table, self.refusals, logs.error_log
        )
        self.settings.record = self._record
        self._accepting.accept_context.shed = partial(ShedConnection, self.state)
        self._sessions = context.sessions
        self._loop = context.batch.loop
        self._names = Names(self._loop, _SHARED_SECONDS)
        self._starttls = "off"

    def configure(self, runtime: Runtime, settings: Listener, logs: Logs) -> None:
        smtp = settings.smtp
        assert smtp is not None
        self._starttls = smtp.starttls
        super().configure(runtime, settings, logs)
        self._accepting.accept_context.context = self.handshake_context(self.tls)
        mine = self.settings
        mine.error_log = logs.error_log
        mine.hostname = smtp.hostname or runtime.config.node
        mine.routes = build.mail_routes(smtp)
        mine.pools = {
            name: build.mail_pool(
                runtime.pools[name],
                runtime.config.pools[name],
                runtime.stream_tls.get(name),
                self._loop,
                self._names,
            )
            for name in build.mail_pools(smtp)
        }
        mine.auth = runtime.mail_auth.get(self.name)
        mine.auth_required = smtp.auth is not None and smtp.auth.required
        mine.auth_without_tls = smtp.auth is not None and smtp.auth.without_tls
        mine.extensions = frozenset(smtp.extensions)
        mine.split, mine.received, mine.xclient = smtp.split, smtp.received, smtp.xclient
        mine.session_timeouts = self._sessions.timeouts(settings)
        mine.expiry = self._sessions.expiry(settings)
        mine.keep_alive = self._sessions.keep_alive(settings).client
        mine.handshake_timeout = settings.timeouts.tls_handshake
        self._limit(smtp)

    def _limit(self, smtp: Smtp) -> None:
        mine, limits, timeouts = self.settings, smtp.limits, smtp.timeouts
        mine.size_limit = limits.size
        mine.recipient_limit = limits.recipients
        mine.message_limit = limits.messages
        mine.idle_commands = limits.idle_commands
        mine.error_limit = limits.errors
        mine.line_limit = limits.line
        mine.hop_limit = limits.hops
        mine.command_timeout = timeouts.command
        mine.content_timeout = timeouts.content
        mine.message_timeout = timeouts.message
        mine.connect_timeout = timeouts.connect
        mine.reply_timeout = timeouts.reply
        mine.delivery_timeout = timeouts.delivery

    def handshake_context(self, tls: ServerTls | None) -> ssl.SSLContext | None:
        """Return the context for TLS from the first byte; that of STARTTLS goes to the sessions."""
        later = self._starttls != "off"
        self.settings.tls = tls.context if tls is not None and later else None
        self.settings.tls_required = self._starttls == "required"
        return None if later else super().handshake_context(tls)

    def protocol(self, handshake: Handshake, alpn: str) -> asyncio.Protocol:
        return SmtpConnection(self.settings, handshake)

    def _record(self, record: MailRecord | MailRefusal) -> None:
        log = self._logs.mail_logs.get(self.name)
        if log is not None:
            log.append(self.settings.clock.wall, record)

    def tick(self, now: float) -> None:
        super().tick(now)
        for pool in self.settings.pools.values():
            pool.refresh(now)
        if self.settings.auth is not None:
            self.settings.auth.tick(now, self.name, self.settings.error_log)

    def drop_all(self, reason: str) -> None:
        super().drop_all(reason)
        for connection in list(self.state.connections):
            if isinstance(connection, SmtpConnection):
                connection.drop()

    def samples(self) -> Iterator[Sample]:
        yield from super().samples()
        for (pool, result), count in self.settings.counts.items():
            yield Sample("adc_smtp_messages_total", (self.name, pool, result), count)
