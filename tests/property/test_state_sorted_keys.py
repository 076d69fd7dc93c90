"""Keys in blocks are what a sorted list of them is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adc.state import sorted_keys
from adc.state.sorted_keys import SortedKeys

keys = st.binary(max_size=2)


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorted_keys, "BLOCK", 4)
        yield


@given(st.lists(st.tuples(st.sampled_from("aaar"), keys), max_size=60), st.lists(keys, max_size=4))
def test_keys_since_any_key_are_those_of_a_sorted_list(
    steps: list[tuple[str, bytes]], starts: list[bytes]
) -> None:
    found, expected = SortedKeys(), set()
    for step, key in steps:
        if step == "a" and key not in expected:
            found.add(key)
            expected.add(key)
        elif step == "r" and expected:
            key = min(expected, key=lambda each: (each < key, each))
            found.remove(key)
            expected.remove(key)
    for start in (b"", *starts, *expected):
        assert list(found.since(start)) == sorted(key for key in expected if key >= start)
    assert all(len(block) <= 4 for block in found._blocks)
    assert [block[-1] for block in found._blocks] == found._lasts
