"""Prefilters on disk."""

from adc_plugins.waf.engine import kept_prefilters
from adc_plugins.waf.engine.ruleset import Ruleset
from adc_plugins.waf.operators.expressions import Searcher

RULES = [
    (
        "rules.conf",
        'SecRule ARGS "@rx (?i)union\\s+select" "id:1,phase:2,deny"\nSecRule ARGS "@rx a*" "id:2,phase:2"',
    )
]


def load(cache):
    ruleset = Ruleset.load(RULES, cache=cache)
    return ruleset, sorted(path.suffix for path in cache.iterdir())


def test_kept_prefilters_are_not_derived_again(tmp_path, monkeypatch):
    _, files = load(tmp_path)
    assert files == [".hs", ".prefilters"]
    monkeypatch.setattr(Searcher, "prefilter", property(lambda _: 1 / 0))
    load(tmp_path)


def test_damaged_prefilters_are_derived_again(tmp_path):
    load(tmp_path)
    (kept,) = tmp_path.glob("*.prefilters")
    whole = kept.read_bytes()
    for damaged in (b"", whole[:32], whole[:-5], whole.replace(b"union", b"unior")):
        kept.write_bytes(damaged)
        load(tmp_path)
        assert kept.read_bytes() == whole


def test_other_expressions_have_other_files(tmp_path):
    load(tmp_path)
    name, text = RULES[0]
    Ruleset.load([(name, text.replace("union", "merge"))], cache=tmp_path)
    assert len(list(tmp_path.glob("*.prefilters"))) == 2


def test_prefilters_of_rules_that_never_run_are_not_missed(tmp_path, monkeypatch):
    name, text = RULES[0]
    jump = 'SecAction "id:9,phase:2,pass,skipAfter:END"'
    skipping = f'{jump}\n{text}\nSecMarker END\nSecRule ARGS "@rx evil" "id:3,phase:2"'
    Ruleset.load([(name, skipping)], cache=tmp_path)
    monkeypatch.setattr(kept_prefilters, "write_privately", None)
    Ruleset.load([(name, skipping)], cache=tmp_path)
