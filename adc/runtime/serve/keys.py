"""The keys that this node signs with where the configuration names none."""

from __future__ import annotations

from adc.config import Config
from adc.runtime.build.folder import signing_key, state_folder
from adc.runtime.serve.state import SECRET, redis_address, redis_prefix
from adc.telemetry.event_log import EventLog

_PATIENCE = 1.0

log = EventLog("adc.state")


async def signing_keys(config: Config) -> list[bytes]:
    """Return the key to sign with, then other keys to verify with: `cluster.secret`; else the key that the nodes agree
    on through Redis; else a key of this node, made once. Raises BuildError."""
    cluster = config.cluster
    if cluster is not None and cluster.secret is not None:
        return [cluster.secret.encode()]
    own = signing_key(state_folder(config))
    if config.state.backend != "redis":
        return [own]
    from redis.exceptions import RedisError

    from adc.state.shared_secret import shared_secret

    name = redis_prefix(config) + SECRET
    try:
        shared = await shared_secret(redis_address(config.state), name, own, _PATIENCE)
    except (RedisError, OSError, TimeoutError) as error:
        log.warn("shared_keys_unavailable", detail=str(error))
        return [own]
    return [shared] if shared == own else [shared, own]
