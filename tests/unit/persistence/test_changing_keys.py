"""A signer whose keys change while it is in use."""

from adc.persistence.signing import Sealed, Signer
from adc.state.key_ring import KeyRing

NOW = 1_700_000_000.0


def test_signer_follows_its_ring() -> None:
    ring = KeyRing([b"own"])
    signer = Signer("app", ring, [b"a"])
    before = signer.sign(b"a", NOW, NOW)
    ring.replace([b"agreed", b"own"])
    former, current = signer.read(before, NOW), signer.read(signer.sign(b"a", NOW, NOW), NOW)
    assert isinstance(former, Sealed)
    assert isinstance(current, Sealed)
    assert (former.pin.member, former.current) == (b"a", False)
    assert (current.pin.member, current.current) == (b"a", True)
    assert isinstance(Signer("app", [b"agreed"], [b"a"]).read(signer.sign(b"a", NOW, NOW), NOW), Sealed)
