"""The logs of a worker: opened for a configuration, kept over reloads that leave their settings alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from adc.config import Config
from adc.config.model.smtp import SmtpLog
from adc.runtime.assembly.logs import open_error_log
from adc.runtime.errors import BuildError
from adc.sessions.session_log import SessionLog
from adc.telemetry.access_log import AccessLog
from adc.telemetry.error_log import ErrorLog

if TYPE_CHECKING:
    from adc.smtp.mail_log import MailLog


class Logs(NamedTuple):
    """The access log, None if it is off, the error log, the settings that they were opened with, the mail logs of
    listeners by name, and the log of the session table, None if it is off."""

    access_log: AccessLog | None
    error_log: ErrorLog
    settings: object
    mail_logs: Mapping[str, MailLog]
    session_log: SessionLog | None

    def flush(self) -> None:
        """Write what is buffered."""
        if self.access_log is not None:
            self.access_log.flush()
        self.error_log.flush()
        for log in self.mail_logs.values():
            log.flush()
        if self.session_log is not None:
            self.session_log.flush()

    def reopen(self) -> None:
        """Continue in new files after a rotation."""
        if self.access_log is not None:
            self.access_log.reopen()
        self.error_log.reopen()
        for log in self.mail_logs.values():
            log.reopen()
        if self.session_log is not None:
            self.session_log.reopen()


def open_logs(config: Config, in_use: Logs | None) -> Logs:
    """Return the logs in use if their settings did not change, else new ones. Raises BuildError."""
    mail = {each.name: each.smtp.log for each in config.listeners if each.smtp is not None and each.smtp.log}
    settings = (config.access_log, config.error_log, mail, config.sessions.log)
    if in_use is not None and in_use.settings == settings:
        return in_use
    try:
        access_log = None
        if config.access_log.path != "off":
            access_log = AccessLog(config.access_log.path, config.access_log.format)
        session_log = None
        if config.sessions.log is not None and config.sessions.log.path != "off":
            session_log = SessionLog(config.sessions.log.path, config.sessions.log.format)
        return Logs(access_log, open_error_log(config), settings, _mail_logs(mail), session_log)
    except (OSError, ValueError) as error:
        raise BuildError(f"logs: {error}") from error


def _mail_logs(wanted: Mapping[str, SmtpLog]) -> Mapping[str, MailLog]:
    """Open the mail logs by listener. Raises OSError."""
    if not wanted:
        return {}
    from adc.smtp.mail_log import MailLog

    return {name: MailLog(log.path, log.format) for name, log in wanted.items()}
