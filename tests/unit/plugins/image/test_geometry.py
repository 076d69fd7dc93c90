"""Sizes of results keep their ratio, and never exceed the source."""

from adc_plugins.image.geometry import WHOLE, target, turned
from hypothesis import given
from hypothesis import strategies as st

sides = st.integers(1, 20_000)
asked = st.integers(0, 5000)


@given(st.tuples(sides, sides), st.tuples(asked, asked), st.tuples(sides, sides), st.booleans())
def test_result_is_within_source_request_and_maximum(size, wanted, most, cover):
    made = target(size, wanted, most, cover=cover)
    for side, (source, limit, asked_for) in enumerate(zip(size, most, wanted, strict=True)):
        assert 1 <= made[side] <= max(1, min(source, limit))
        assert made[side] <= (asked_for or made[side])
    left, top, right, bottom = made.box
    assert -1e-9 <= left < right <= 1 + 1e-9
    assert -1e-9 <= top < bottom <= 1 + 1e-9
    if not cover:
        assert made.box == WHOLE


@given(st.tuples(sides, sides), st.tuples(st.integers(1, 5000), st.integers(1, 5000)))
def test_covered_part_has_the_ratio_of_the_request(size, wanted):
    made = target(size, wanted, (20_000, 20_000), cover=True)
    left, top, right, bottom = made.box
    shown = (right - left) * size[0] / ((bottom - top) * size[1])
    assert abs(shown / (wanted[0] / wanted[1]) - 1) < 1e-6


def test_box_of_an_image_on_its_side_is_turned():
    assert turned((0.1, 0.2, 0.9, 0.8), 1) == (0.1, 0.2, 0.9, 0.8)
    assert turned((0.1, 0.2, 0.9, 0.8), 6) == (0.2, 0.1, 0.8, 0.9)
