"""The session log: a line for each session that has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from adc.sessions.ended import Ended
from adc.sessions.row import address_text
from adc.sessions.session import STATES
from adc.telemetry.escape import escape_text, json_text
from adc.telemetry.line_log import LineLog
from adc.telemetry.timestamps import clf_time, iso_time

MOST_LINES: Final = 200
"""Lines to keep for the next flush: when many sessions end at once, they are written in parts of less than a
millisecond."""

_NUMBERS: Final = '"bytes_in":%d,"bytes_out":%d,"packets_in":%d,"packets_out":%d,"duration":%.3f,"idle":%.3f}'


class SessionLog:
    """Appends lines in `style` (text or json) to a file, in batches. Raises OSError if it cannot be opened."""

    def __init__(self, path: str, style: str) -> None:
        self._log = LineLog(path)
        self._lines = 0
        self._compose: Callable[[Ended, float], str] = json_line if style == "json" else text_line

    @property
    def dropped(self) -> int:
        """Lines lost."""
        return self._log.dropped

    def write(self, ended: Ended, wall: float) -> None:
        """Keep the line of a session that ended at `wall` (epoch seconds) for the next flush, or write MOST_LINES."""
        self._log.append(self._compose(ended, wall))
        self._lines += 1
        if self._lines >= MOST_LINES:
            self.flush()

    def flush(self) -> None:
        """Write what is buffered."""
        self._lines = 0
        self._log.flush()

    def reopen(self) -> None:
        """Continue in a new file after a rotation. Raises OSError."""
        self._log.reopen()


def text_line(ended: Ended, wall: float) -> str:
    """Return a line such as

    192.0.2.7:40312 [22/Nov/2026:19:56:53 +0000] tcp db pg/10.0.0.5:5432 established 350.021 1811 402 9 31 expired

    client, time of the beginning, protocol, listener, pool/member, last state, seconds, bytes from the client and to
    it, packets from the client and to it, reason of the end.
    """
    began = wall - (ended.at - ended.created)
    return (
        f"{escape_text(address_text(ended.client))} [{clf_time(int(began))}] {ended.protocol} {ended.listener} "
        f"{ended.pool or '-'}/{escape_text(ended.member) or '-'} {STATES[ended.state]} "
        f"{ended.at - ended.created:.3f} {ended.bytes_in} {ended.bytes_out} "
        f"{ended.packets_in} {ended.packets_out} {ended.reason}"
    )


def json_line(ended: Ended, wall: float) -> str:
    """Return one JSON object; times in seconds, `time` is that of the end."""
    texts = (
        ("time", iso_time(wall)),
        ("started", iso_time(wall - (ended.at - ended.created))),
        ("protocol", ended.protocol),
        ("listener", ended.listener),
        ("client", address_text(ended.client)),
        ("own", address_text(ended.own)),
        ("pool", ended.pool),
        ("member", ended.member),
        ("state", STATES[ended.state]),
        ("reason", ended.reason),
    )
    numbers = (ended.bytes_in, ended.bytes_out, ended.packets_in, ended.packets_out)
    spelled = "".join(f'"{name}":{json_text(text)},' for name, text in texts)
    return "{" + spelled + _NUMBERS % (*numbers, ended.at - ended.created, ended.at - ended.last)
