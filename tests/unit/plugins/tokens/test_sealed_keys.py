"""A sealer whose keys change while it is in use."""

from adc_plugins.tokens.sealed import Sealer

from adc.plugin.derived_keys import DerivedKeys
from adc.state.key_ring import KeyRing


def test_sealer_follows_keys_that_the_nodes_agree_on() -> None:
    ring = KeyRing([b"own"])
    sealer = Sealer(DerivedKeys(ring, b"session"))
    before = sealer.seal(b"data", b"cookie")
    ring.replace([b"agreed", b"own"])
    after = sealer.seal(b"data", b"cookie")
    assert sealer.open(before, b"cookie") == b"data"
    assert Sealer(DerivedKeys(KeyRing([b"agreed"]), b"session")).open(after, b"cookie") == b"data"
