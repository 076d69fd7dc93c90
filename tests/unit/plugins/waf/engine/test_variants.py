"""What chains of transformations make of a value."""

from adc_plugins.waf.engine import variants
from adc_plugins.waf.engine.transforms import TransformationChain
from adc_plugins.waf.engine.variants import Variants, triggers_of

CHAINS = [
    TransformationChain(["urldecodeuni", "normalizepath"]),
    TransformationChain(["utf8tounicode", "normalizepath"]),
    TransformationChain(["normalizepath", "lowercase"]),
]
EVERY_TRIGGER = -1
SMALL = b"/A/../%42/./C"
LARGE = SMALL * 1000


def made_of(value):
    return Variants(CHAINS, frozenset(), triggers_of(CHAINS)).of(value, EVERY_TRIGGER)


def test_each_chain_has_its_result():
    assert made_of(SMALL) == {b"/B/C", b"/%42/C", b"/%42/c"}


def test_a_large_value_has_the_results_of_its_chains():
    assert made_of(LARGE) == {chain.stages(LARGE)[-1] for chain in CHAINS}


def test_a_large_value_is_transformed_once_by_what_several_chains_do(monkeypatch):
    calls = []
    known = variants.TRANSFORMATIONS["normalizepath"]

    class Counted:
        trigger = known.trigger
        cases = known.cases

        @staticmethod
        def apply(value):
            calls.append(value)
            return known.apply(value)

    monkeypatch.setitem(variants.TRANSFORMATIONS, "normalizepath", Counted)
    made_of(LARGE)
    assert len(calls) == len(set(calls)) == 2
