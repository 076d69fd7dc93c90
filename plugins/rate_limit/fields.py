"""The fields that tell a client its limits (draft-ietf-httpapi-ratelimit-headers-10), and the older ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

from adc.plugin import Bucket, Lease, Window

Pair = tuple[bytes, bytes]
_ceil = math.ceil


class Fields:
    """Writes the fields of one limit. `kind` is `draft`, `legacy`, `both` or `none`."""

    def __init__(self, name: str, allowance: Bucket | Window, kind: str) -> None:
        if isinstance(allowance, Bucket):
            self._quota, window = allowance.burst, allowance.burst / allowance.rate
        else:
            self._quota, window = allowance.most, allowance.period
        self.policy = b'"%b";q=%d;w=%d' % (name.encode(), self._quota, max(1, math.ceil(window)))
        self.policy_line = (b"RateLimit-Policy", self.policy)
        self.prefix = b'"%b";r=' % name.encode()
        self.draft = kind in ("draft", "both")
        self.legacy = kind in ("legacy", "both")
        self.alone = self.draft and not self.legacy

    def item(self, lease: Lease, now: float) -> bytes:
        """Return the item of the RateLimit field."""
        left, reset = lease.remaining + lease.units, lease.reset - now
        return b"%b%d;t=%d" % (self.prefix, left, _ceil(reset) if reset > 0 else 0)  # of a float, %d is slow

    def legacy_values(self, lease: Lease, now: float) -> tuple[Pair, ...]:
        """Return the lines of the older fields."""
        left, reset = lease.remaining + lease.units, max(0.0, lease.reset - now)
        return (
            (b"X-RateLimit-Limit", b"%d" % self._quota),
            (b"X-RateLimit-Remaining", b"%d" % left),
            (b"X-RateLimit-Reset", b"%d" % math.ceil(reset)),
        )


def lines(counted: Sequence[tuple[Fields, Lease]], now: float) -> tuple[Pair, ...]:
    """Return the fields of the limits that a request was counted in; the older ones are those of the tightest limit."""
    written: tuple[Pair, ...] = ()
    fields, lease = counted[0]
    if fields.draft:
        written = (
            (b"RateLimit", b", ".join([each.item(own, now) for each, own in counted])),
            (b"RateLimit-Policy", b", ".join([each.policy for each, _ in counted])),
        )
    if fields.legacy:
        fields, lease = min(counted, key=lambda each: each[1].remaining + each[1].units)
        written += fields.legacy_values(lease, now)
    return written
