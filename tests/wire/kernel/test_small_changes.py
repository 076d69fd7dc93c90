"""A change sends to the kernel what changed: no set or map that stays, and nothing that has nft read large sets."""

import pytest

from adc.control import nft
from tests.kit import netns
from tests.wire.kernel.test_datapath import member_of

pytestmark = netns.required

NETWORKS = [f"10.{number >> 7}.{(number & 127) * 2}.0/24" for number in range(3000)]
"""No two of them are one range."""
OTHERS = ["198.51.100.0/24"]
RULES = [
    {"name": "many", "action": "count", "source": ["many"]},
    {"name": "few", "action": "count", "source": ["few"]},
]


def firewall(few=OTHERS, rules=RULES):
    return {"engine": "nftables", "sets": {"many": NETWORKS, "few": few}, "rules": rules}


@pytest.fixture
def applied(monkeypatch):
    """The texts that were given to nft."""
    texts = []
    apply = nft.apply
    monkeypatch.setattr(nft, "apply", lambda text: (texts.append(text), apply(text)))
    return texts


def elements(net, name):
    return net.adc.run(("nft", "list", "set", "inet", "adc_n1", name))


def test_change_of_a_member_is_a_small_transaction(net, node, applied):
    node.serve(firewall=firewall())
    applied.clear()
    node.stand(m2=False)
    (text,) = applied
    assert len(text) < 2000
    assert "add element" not in text, "nft reads all networks of the machine before it adds an element"
    assert {member_of(net) for _ in range(4)} == {"m1"}
    node.stand(m2=True)
    assert {member_of(net) for _ in range(4)} == {"m1", "m2"}
    node.stand(m1=False, m2=False)
    node.stand(m1=True)
    assert {member_of(net) for _ in range(4)} == {"m1"}


def test_reload_sends_no_set_that_stays(net, node, applied):
    node.serve(firewall=firewall())
    before = elements(net, "set4_many")
    applied.clear()
    node.serve(firewall=firewall(rules=[*RULES, {"name": "new", "action": "count", "port": [7]}]))
    (text,) = applied
    assert "10.1.2.0" not in text
    assert "members_of_db_4" in text, "its rules were made anew"
    assert "10.71.2.2 ." not in text
    assert elements(net, "set4_many") == before
    assert {member_of(net) for _ in range(4)} == {"m1", "m2"}


def test_reload_sends_a_set_that_changed_and_no_other(net, node, applied):
    node.serve(firewall=firewall())
    applied.clear()
    node.serve(firewall=firewall(few=["192.0.2.0/24"]))
    (text,) = applied
    assert "192.0.2.0" in text
    assert "10.1.2.0" not in text
    assert "add element" not in text
    assert "192.0.2.0" in elements(net, "set4_few")
    assert "198.51.100.0" not in elements(net, "set4_few")
    assert "10.1.2.0" in elements(net, "set4_many")


def test_set_that_became_empty_is_empty(net, node):
    node.serve(firewall=firewall())
    node.serve(firewall=firewall(few=[]))
    assert "198.51.100" not in elements(net, "set4_few")
    node.serve(firewall=firewall())
    assert "198.51.100" in elements(net, "set4_few")


@pytest.mark.parametrize("also", [(), ("m1",)])
def test_set_that_another_program_emptied_is_sent_again(net, node, also):
    node.serve(firewall=firewall())
    net.adc.run(("nft", "flush", "set", "inet", "adc_n1", "set4_many"))
    node.follow()
    for name in also:
        node.stand(**{name: False})
    node.serve(firewall=firewall(few=["192.0.2.0/24"]))
    assert "10.1.2.0" in elements(net, "set4_many")
