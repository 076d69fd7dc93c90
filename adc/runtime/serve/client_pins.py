"""The pins of a pool's clients, for flows below HTTP."""

from __future__ import annotations

from typing import cast

from adc.http.client import Flow
from adc.l4.pins import Pins
from adc.net.clock import Clock
from adc.persistence.table import TablePersistence
from adc.runtime.assembly.runtime import Runtime


def client_pins(runtime: Runtime, pool: str, clock: Clock) -> Pins | None:
    """Return the pins of the clients of `pool`, None if it has no table of them."""
    sticky = runtime.sticky.get(pool)
    if sticky is None or not isinstance(sticky.persistence, TablePersistence):
        return None
    return Pins(cast("TablePersistence[Flow]", sticky.persistence), sticky.stickiness, lambda: clock.wall)
