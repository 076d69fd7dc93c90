"""The name of a pool's sticky cookie: the one place that decides it."""

from __future__ import annotations

from hashlib import blake2b

SHARED_NAME = "ADCSESSION"
"""The default name of all pools before each had its own. Cookies of that name are still read, and replaced."""

_DIGEST_BYTES = 4


def cookie_name(pool: str, configured: str | None) -> str:
    """Return `configured`, or the default name of `pool`'s cookie: pools of one host must not share a name, because
    each would replace the cookie of the other. The digest reveals no name of a pool."""
    if configured is not None:
        return configured
    digest = blake2b(pool.encode(), digest_size=_DIGEST_BYTES, person=b"adc.cookie").hexdigest()
    return f"{SHARED_NAME}_{digest}"
