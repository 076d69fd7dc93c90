"""Certificates that adc obtains and renews: their schedule, and the responses to challenges."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from adc.control.privileges import Identity, give_certificate
from adc.net.certificates import names_of
from adc.runtime.assembly.tls import acme_file
from adc.telemetry.event_log import EventLog

if TYPE_CHECKING:
    from adc.config import Config
    from adc.control.acme_order import Wanted

log = EventLog(__name__)
T = TypeVar("T")

FIRST_DELAY = 60.0
LONGEST_DELAY = 6 * 3600.0
"""Seconds between tries that fail: authorities limit them."""

_LOOK_AGAIN = 3600.0
"""Seconds after which the wall clock is read again, because it may have changed."""

_SHARE_LEFT = 1 / 3
"""Share of a short-lived certificate's life that is left when it is renewed, if `renew_before` is longer."""


class AcmeCertificates:
    """Keeps the certificates of all listeners with `acme` fresh.

    `tell(challenges)` makes every worker answer these http-01 challenges (token -> key authorization) and no others.
    `reader` is the user that reads the certificates, if it differs from this process's.
    """

    def __init__(
        self,
        tell: Callable[[Mapping[str, str]], Awaitable[None]],
        *,
        wall: Callable[[], float] = time.time,
        first_delay: float = FIRST_DELAY,
    ) -> None:
        self.challenges: dict[str, str] = {}
        self.reader: Identity | None = None
        self._tell = tell
        self._wall = wall
        self._first_delay = first_delay
        self._tasks: dict[Wanted, asyncio.Task[None]] = {}

    def follow(self, config: Config) -> None:
        """Keep what `config` asks for from now on."""
        wanted = wanted_of(config)
        for each in [each for each in self._tasks if each not in wanted]:
            self._tasks.pop(each).cancel()
        for each in wanted:
            if each not in self._tasks:
                self._tasks[each] = asyncio.create_task(self._keep_fresh(each))

    async def close(self) -> None:
        """Stop."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_fresh(self, wanted: Wanted) -> None:
        from adc.control.acme_order import OrderFailed

        failures = 0
        while True:
            wait = renewal_in(wanted, self._wall())
            if wait > 0:
                await asyncio.sleep(min(wait, _LOOK_AGAIN))
                continue
            try:
                await self._obtain(wanted)
                failures = 0
            except OrderFailed as error:
                delay = min(self._first_delay * 2**failures, LONGEST_DELAY)
                failures += 1
                log.error(
                    "certificate_not_issued",
                    domains=_names(wanted),
                    detail=str(error),
                    retry_seconds=round(delay),
                )
                await asyncio.sleep(delay)

    async def _obtain(self, wanted: Wanted) -> None:
        from adc.control.acme_order import Order

        order = Order(wanted)
        challenges: dict[str, str] = {}
        try:
            challenges = await aside(order.begin)
            self.challenges.update(challenges)
            await self._tell(self.challenges)
            await aside(order.finish)
        finally:
            for token in challenges:
                del self.challenges[token]
            if challenges:
                await self._tell(self.challenges)
        if self.reader is not None:
            give_certificate(Path(wanted.file), self.reader)
        log.info("certificate_issued", domains=_names(wanted))


def _names(wanted: Wanted) -> str:
    return ",".join(wanted.domains)


def wanted_of(config: Config) -> list[Wanted]:
    """Return the certificates that listeners ask for; the same one for several listeners once."""
    parts = [listener.tls.acme for listener in config.listeners if listener.tls is not None]
    if not any(parts):
        return []
    from adc.control.acme_order import Wanted

    wanted = [
        Wanted(
            tuple(name.lower() for name in part.domains),
            part.directory,
            acme_file(config, part),
            part.email,
            part.ca,
            part.renew_before,
        )
        for part in parts
        if part is not None
    ]
    return list(dict.fromkeys(wanted))


def renewal_in(wanted: Wanted, wall: float) -> float:
    """Return the seconds until a new certificate is due; 0 or less without a usable one."""
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificate(Path(wanted.file).read_bytes())
    except (OSError, ValueError):
        return 0.0
    if not set(wanted.domains) <= set(names_of(certificate)):
        return 0.0
    begins, ends = (
        moment.timestamp() for moment in (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    )
    return ends - min(wanted.renew_before, (ends - begins) * _SHARE_LEFT) - wall


async def aside(work: Callable[[], T]) -> T:
    """Return the result of `work`, done in a thread that does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: Any, error: Exception | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)

    def run() -> None:
        result, failed = None, None
        try:
            result = work()
        except Exception as error:
            failed = error
        try:
            loop.call_soon_threadsafe(settle, result, failed)
        except RuntimeError:  # the loop has ended meanwhile
            return

    threading.Thread(target=run, daemon=True).start()
    return await done
