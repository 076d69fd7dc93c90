"""The firewall's part of the configuration."""

from pathlib import Path

import pytest

from adc.config import load

LISTENERS = "listeners: [{name: web, bind: '127.0.0.1:80'}]\n"


def firewall_of(tmp_path: Path, text: str):
    file = tmp_path / "adc.yaml"
    file.write_text(f"{LISTENERS}firewall: {text}\n")
    return load(file).config.firewall


def test_keys_of_the_contract(tmp_path):
    found = firewall_of(
        tmp_path,
        "{default: accept, rules: [{name: no-bad-net, action: drop, source: [192.0.2.0/24]}, "
        "{name: few, action: reject, source: [any], over: {new_connections: 1000/s, per: source}}]}",
    )
    assert [rule.name for rule in found.rules] == ["no-bad-net", "few"]
    assert found.rules[1].over.new_connections == (1000, 1.0)


def test_short_forms(tmp_path):
    rule = "{action: drop, source: bad, port: 22, protocol: smtp, time: {days: sun}, log: true}"
    found = firewall_of(tmp_path, f"{{sets: {{bad: 10.0.0.0/8, off: {{file: x}}}}, rules: {rule}}}")
    (rule,) = found.rules
    assert (rule.source, rule.port, rule.l4_protocols, rule.states) == (
        ("bad",),
        ((22, 22),),
        ("tcp",),
        ("new",),
    )
    assert found.sets["off"].file == str(tmp_path / "x")


def test_rules_without_a_name_are_counted(tmp_path):
    found = firewall_of(tmp_path, "{rules: [{action: drop}, {action: accept}]}")
    assert [rule.name for rule in found.rules] == ["rule-1", "rule-2"]


def test_false_turns_it_off(tmp_path):
    assert firewall_of(tmp_path, "false") is None


def test_kernel_rules_are_accepted_with_nftables(tmp_path):
    rules = (
        "[{action: drop, interface: eth0, state: invalid}, {action: accept, protocol: icmp}, "
        "{action: drop, over: {packets: 10/m, burst: 5, per: rule}}]"
    )
    found = firewall_of(tmp_path, f"{{engine: nftables, rules: {rules}}}")
    assert found.rules[2].states == ("new", "established", "related")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{rules: [{action: deny}]}", '"deny" is not one of: accept, drop, reject, count'),
        ("{default: count}", "accept, drop, reject"),
        ("{rules: [{action: drop, source: bda}], sets: {bad: []}}", 'did you mean "bad"?'),
        ("{rules: [{action: drop, source: 10.0.0.1/8}]}", "has host bits set; write it as 10.0.0.0/8"),
        ("{rules: [{action: drop, source: 300.1.2.3}]}", "is not an address or network; write it as"),
        ("{rules: [{action: drop, source: bad}]}", 'there is no set "bad"; none is defined'),
        ("{rules: [{action: drop, listener: wbe}]}", 'did you mean "web"?'),
        ("{rules: [{action: drop, name: a}, {action: drop, name: a}]}", "is defined twice"),
        ("{rules: [{action: drop, port: 0}]}", "is not a port"),
        ("{rules: [{action: drop, port: 20-10}]}", "is not a port"),
        ("{rules: [{action: drop, source: []}]}", "nothing matches"),
        ("{rules: [{action: drop, over: {}}]}", "exactly one of: new_connections, packets"),
        ("{rules: [{action: drop, over: {new_connections: 0/s}}]}", "is not a rate"),
        ("{rules: [{action: drop, over: {new_connections: 2/h, burst: 17521}}]}", "use at most 17520"),
        ("{rules: [{action: drop, over: {packets: 5/s}}]}", "needs engine: nftables"),
        ("{rules: [{action: drop, interface: eth0}]}", "needs engine: nftables"),
        ("{rules: [{action: drop, state: [established, invalid]}]}", "needs engine: nftables"),
        ("{rules: [{action: drop, protocol: [tcp, icmp]}]}", "needs engine: nftables"),
        ("{rules: [{action: drop, time: {timezone: Mars/Base}}]}", "no such time zone"),
        ("{rules: [{action: drop, time: {from: '25:00'}}]}", "is not a time of day"),
        ("{rules: [{action: drop, time: {from: '08:00', to: '08:00'}}]}", "is the same as from"),
        ("{sets: {any: 10.0.0.0/8}}", "is not a name for a set"),
        ("{sets: {'10.0.0.1': 10.0.0.0/8}}", "is not a name for a set"),
        ("{sets: {a: {}}}", "exactly one of: file, networks"),
        (
            "{engine: nftables, rules: [{action: drop, interface: enp3s0f1np1-port9}]}",
            "at most 15 characters",
        ),
        ("{engine: nftables, rules: [{action: drop, interface: 'e\" accept #'}]}", "is not an interface"),
        ("{engine: nftables, rules: [{action: drop, name: 'x\\n flush'}]}", "is not a name"),
        ("{engine: nftables, sets: {'x } ; flush': []}}", "is not a name"),
        ("{remove_on_exit: true}", "has no effect with engine: userspace"),
    ],
)
def test_mistakes_are_refused(refused, text, words):
    lines = refused(f"{LISTENERS}firewall: {text}\n", listeners="")
    assert any(words in line for line in lines), lines
