"""Takes from an allowance that several processes or machines share: a token bucket, or a sliding window.

A taker says how many units it needs `least` and how many it would keep for later (`want`). What is left is split:
nobody is granted more than a quarter beyond its need, so that portions shrink as the allowance empties.

`TAKE` is the same in Lua for Redis, whose clock then counts; it has the same results and writes the same state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

SHARE: Final = 4
"""The part of what is left that one taker may keep, as a divisor."""
TICKS: Final = 4096
"""Resolution of a window."""
SLOT: Final = 86
"""Ticks whose units are kept as one entry; about 48 entries in all, so that the state fits into a table."""
_ROUNDING: Final = 1e-6


class Grant(NamedTuple):
    """The result of a take: `granted` units, 0 if fewer than the least were left; `remaining` units; `wait`: seconds
    until the least can be granted, or by which the use of what was granted has to be delayed; `reset`: seconds until
    everything is left again."""

    granted: int
    remaining: int
    wait: float
    reset: float


Granted = Callable[["Grant | None"], None]


class Allowance(Protocol):
    """A limit. No I/O."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The limit as `TAKE` reads it."""

    @property
    def ttl(self) -> float:
        """Seconds after which the state of an unused allowance is as if it had none."""

    def take(self, state: bytes, least: int, want: int, now: float) -> tuple[Grant, bytes]:
        """Return the grant, and the state after it. `state` is empty at first; a state that cannot be read counts as
        empty."""


class Bucket(NamedTuple):
    """A token bucket: `burst` tokens at most, `rate` new ones a second. It lends up to `debt` tokens, whose users
    wait until they are due. This is GCRA, written as a level and its time."""

    rate: float
    burst: int
    debt: int = 0

    @property
    def arguments(self) -> tuple[str, ...]:
        return "bucket", repr(self.rate), str(self.burst), str(self.debt)

    @property
    def ttl(self) -> float:
        return (self.burst + self.debt) / self.rate + 1.0

    def take(self, state: bytes, least: int, want: int, now: float) -> tuple[Grant, bytes]:
        level, at = self._read(state, now)
        if now > at:
            level, at = min(float(self.burst), level + (now - at) * self.rate), now
        granted, wait = 0, 0.0
        if level + self.debt + _ROUNDING >= least:
            granted = max(least, min(want, math.floor(level / SHARE)))
            level -= granted
            wait = max(0.0, -level / self.rate)
        else:
            wait = (least - self.debt - level) / self.rate
        left = max(0, math.floor(level + _ROUNDING))
        grant = Grant(granted, left, wait, max(0.0, (self.burst - level) / self.rate))
        return grant, b"%.6f %.6f" % (level, at)

    def _read(self, state: bytes, now: float) -> tuple[float, float]:
        try:
            level, at = state.split(b" ")
            return float(level), float(at)
        except ValueError:
            return float(self.burst), now


class Window(NamedTuple):
    """A sliding window: at most `most` units in any `period` seconds. Its state lists when units were taken, to the
    4096th of the period; units of neighbouring times count as taken at the last of these, so that the limit holds."""

    most: int
    period: float

    @property
    def arguments(self) -> tuple[str, ...]:
        return "window", str(self.most), repr(self.period), "0"

    @property
    def ttl(self) -> float:
        return self.period + 1.0

    def take(self, state: bytes, least: int, want: int, now: float) -> tuple[Grant, bytes]:
        tick = math.floor(now * TICKS / self.period)
        entries = [(at, units) for at, units in _read_entries(state) if at + TICKS + 1 > tick]
        if entries:
            tick = max(tick, entries[-1][0])
        left = self.most - sum(units for _, units in entries)
        granted, wait = 0, 0.0
        if left >= least:
            granted = max(least, min(want, left // SHARE))
            left -= granted
            if entries and entries[-1][0] // SLOT == tick // SLOT:
                entries[-1] = (tick, entries[-1][1] + granted)
            else:
                entries.append((tick, granted))
        else:
            wait = self._until(entries, least - left, now)
        reset = self._free(entries[-1][0], now) if entries else 0.0
        return Grant(granted, max(0, left), wait, reset), _written_entries(entries)

    def _until(self, entries: list[tuple[int, int]], need: int, now: float) -> float:
        """Return the seconds until `need` units of the oldest entries are free again."""
        for at, units in entries:
            need -= units
            if need <= 0:
                return self._free(at, now)
        return self.period

    def _free(self, at: int, now: float) -> float:
        return max(0.0, (at + TICKS + 1) * self.period / TICKS - now)


def _read_entries(state: bytes) -> list[tuple[int, int]]:
    try:
        base, *written = state.split(b" ")
        start = int(base)
        pairs = [entry.split(b":") for entry in written]
        return [(start + int(after), int(units)) for after, units in pairs]
    except ValueError:
        return []


def _written_entries(entries: list[tuple[int, int]]) -> bytes:
    if not entries:
        return b""
    base = entries[0][0]
    return b"%d " % base + b" ".join(b"%d:%d" % (at - base, units) for at, units in entries)


TAKE: Final = """
local kind, a, b, debt = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local least, want, now = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local state = redis.call('GET', KEYS[1]) or ''
local granted, left, wait, reset, ttl = 0, 0, 0, 0, 0
if kind == 'bucket' then
  local rate, burst = a, b
  local level, at = string.match(state, '^(%S+) (%S+)$')
  level, at = tonumber(level), tonumber(at)
  if not (level and at) then level, at = burst, now end
  if now > at then level, at = math.min(burst, level + (now - at) * rate), now end
  if level + debt + 0.000001 >= least then
    granted = math.max(least, math.min(want, math.floor(level / 4)))
    level = level - granted
    wait = math.max(0, -level / rate)
  else
    wait = (least - debt - level) / rate
  end
  left = math.max(0, math.floor(level + 0.000001))
  reset = math.max(0, (burst - level) / rate)
  ttl = (burst + debt) / rate + 1
  state = string.format('%.6f %.6f', level, at)
else
  local most, period = a, b
  local tick = math.floor(now * 4096 / period)
  local base = tonumber(string.match(state, '^(%d+) '))
  local entries, used = {}, 0
  if base then
    for after, units in string.gmatch(state, ' (%d+):(%d+)') do
      local at = base + tonumber(after)
      if at + 4097 > tick then
        entries[#entries + 1] = {at, tonumber(units)}
        used = used + tonumber(units)
      end
    end
  end
  local last = entries[#entries]
  if last then tick = math.max(tick, last[1]) end
  left = most - used
  if left >= least then
    granted = math.max(least, math.min(want, math.floor(left / 4)))
    left = left - granted
    if last and math.floor(last[1] / 86) == math.floor(tick / 86) then
      last[1], last[2] = tick, last[2] + granted
    else
      entries[#entries + 1] = {tick, granted}
    end
  else
    local need = least - left
    wait = period
    for _, entry in ipairs(entries) do
      need = need - entry[2]
      if need <= 0 then
        wait = math.max(0, (entry[1] + 4097) * period / 4096 - now)
        break
      end
    end
  end
  left = math.max(0, left)
  last = entries[#entries]
  ttl = period + 1
  if last then
    reset = math.max(0, (last[1] + 4097) * period / 4096 - now)
    local first = entries[1][1]
    local written = {string.format('%d', first)}
    for _, entry in ipairs(entries) do
      written[#written + 1] = string.format('%d:%d', entry[1] - first, entry[2])
    end
    state = table.concat(written, ' ')
  end
end
if granted > 0 then redis.call('SET', KEYS[1], state, 'PX', math.ceil(ttl * 1000)) end
return {granted, left, string.format('%.6f', wait), string.format('%.6f', reset)}
"""
"""The key of the allowance, then its arguments, least, want, and the time, or - for the server's clock."""
