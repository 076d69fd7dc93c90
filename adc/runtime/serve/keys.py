"""The keys that this node signs with where the configuration names none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adc.config import Config
from adc.runtime.assembly.folder import agreed_key, keep_agreed_key, signing_key, state_folder
from adc.runtime.serve.state import SECRET, SharedState, redis_address, redis_prefix
from adc.state.key_ring import KeyRing
from adc.telemetry.event_log import EventLog

_PATIENCE = 1.0
_MAX_KEYS = 10

log = EventLog("adc.state")


def agree_on_keys(config: Config) -> bool:
    """True if the nodes agree on their keys through Redis."""
    secret = None if config.cluster is None else config.cluster.secret
    return secret is None and config.state.backend == "redis"


async def signing_keys(config: Config) -> list[bytes]:
    """Return the key to sign with, then other keys to verify with: `cluster.secret`; else the key that the nodes agree
    on through Redis, or agreed on when it was last reached; else a key of this node, made once. Raises BuildError."""
    cluster = config.cluster
    if cluster is not None and cluster.secret is not None:
        return [cluster.secret.encode()]
    folder = state_folder(config)
    own = signing_key(folder)
    if not agree_on_keys(config):
        return [own]
    from redis.exceptions import RedisError

    from adc.state.shared_secret import shared_secret

    name = redis_prefix(config) + SECRET
    last = agreed_key(folder, name)
    try:
        found = await shared_secret(redis_address(config.state), name, last or own, _PATIENCE)
    except (RedisError, OSError, TimeoutError) as error:
        log.warn("shared_keys_unavailable", detail=str(error))
        return [own] if last is None else [last, own]
    keep_agreed_key(folder, name, found.secret)
    return [found.secret, own, *found.former]


class NodeKeys:
    """The keys of a worker: one ring for each configuration, in which all users of a key see it change. `changed` is
    called with the key to sign with when the nodes have agreed on another one."""

    def __init__(self, state: SharedState, changed: Callable[[bytes], None]) -> None:
        self._state = state
        self._changed = changed
        self._candidate: KeyRing | None = None

    def begin(self) -> None:
        """Forget the ring of the last configuration that was prepared."""
        self._candidate = None

    async def ring(self, config: Config) -> KeyRing:
        """Return the ring of `config`, which is being prepared. Raises BuildError."""
        if self._candidate is None:
            self._candidate = KeyRing(await signing_keys(config))
            if agree_on_keys(config):
                self._state.prepare(config)
        return self._candidate

    def commit(self, config: Config) -> bytes | None:
        """Follow what the nodes agree on; return the key to sign with, None if nothing of `config` uses keys."""
        ring = self._candidate
        if ring is None:
            self._state.guard(config, None)
            return None

        def agreed(secret: bytes, former: Sequence[bytes]) -> None:
            self._agreed(config, ring, secret, former)

        self._state.guard(config, ring.keys[0], agreed)
        return ring.keys[0]

    def _agreed(self, config: Config, ring: KeyRing, secret: bytes, former: Sequence[bytes]) -> None:
        before = ring.keys[0]
        ring.replace((secret, *former, *ring.keys)[:_MAX_KEYS])
        if secret != before:
            log.info("shared_key_adopted")
            keep_agreed_key(state_folder(config), redis_prefix(config) + SECRET, secret)
            self._changed(secret)
