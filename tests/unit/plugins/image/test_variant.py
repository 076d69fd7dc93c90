"""Requests get one of a few variants, whatever they ask for."""

import pytest
from adc_plugins.image.variant import Hints, Refused, Sizes, Variant, without
from hypothesis import given
from hypothesis import strategies as st

ALL = frozenset({"w", "h", "dpr", "q", "fit"})
WIDTHS, HEIGHTS, QUALITIES = (100, 200, 400), (50, 100), (40, 80)


NO_HINTS = Hints()


def variant(hints=NO_HINTS, *, parameters=ALL, refuses=False, **query):
    sizes = Sizes(WIDTHS, HEIGHTS, QUALITIES, frozenset(parameters), "contain", 80, refuses)
    return sizes.variant({name: [value] for name, value in query.items()}, hints, "webp", 50)


@pytest.mark.parametrize(
    ("query", "width", "height"),
    [
        ({}, 0, 0),
        ({"w": "100"}, 100, 0),
        ({"w": "101"}, 200, 0),
        ({"w": "1"}, 100, 0),
        ({"w": "99999"}, 400, 0),
        ({"w": "100", "dpr": "2"}, 200, 0),
        ({"w": "100", "h": "50", "dpr": "1.5"}, 200, 100),
        ({"dpr": "3"}, 0, 0),
        ({"w": "100", "dpr": "99"}, 100, 0),
        ({"h": "70"}, 0, 100),
        ({"w": "0"}, 0, 0),
        ({"w": "-5"}, 0, 0),
        ({"w": "1e3"}, 0, 0),
        ({"w": "٣٠٠"}, 0, 0),
        ({"w": "9" * 500}, 0, 0),
    ],
)
def test_size_becomes_the_next_allowed_one(query, width, height):
    made = variant(**query)
    assert (made.width, made.height) == (width, height)


@pytest.mark.parametrize(("q", "quality"), [("40", 40), ("1", 40), ("61", 80), ("100", 80), ("x", 80)])
def test_quality_becomes_the_nearest_allowed_one(q, quality):
    assert variant(q=q).quality == quality


def test_fit_counts_with_both_sizes_only():
    assert variant(w="100", h="50", fit="cover").fit == "cover"
    assert variant(w="100", fit="cover") == variant(w="100")
    assert variant(w="100", h="50", fit="stretch").fit == "contain"


def test_parameters_that_are_not_read_change_nothing():
    assert variant(parameters={"w"}, w="100", h="50", q="40", dpr="2") == variant(w="100")


def test_hints_count_where_the_query_says_nothing():
    assert variant(Hints("150", "2", False)).width == 200
    assert variant(Hints("150", "2", False), w="100").width == 200
    assert variant(Hints("150", "2", False), w="100", dpr="1").width == 100
    assert variant(Hints(save=True)).quality == 50
    assert variant(Hints(save=True), q="40").quality == 40


@pytest.mark.parametrize(
    "query", [{"w": "101"}, {"h": "1"}, {"w": "x"}, {"q": "41"}, {"fit": "fill"}, {"dpr": "0"}, {"w": "0"}]
)
def test_other_values_are_refused_if_the_options_say_so(query):
    with pytest.raises(Refused, match="allowed"):
        variant(refuses=True, **query)


def test_allowed_values_are_not_refused():
    assert variant(refuses=True, w="200", h="50", q="40", fit="cover").width == 200
    assert variant(refuses=True, w="200", dpr="1.5").width == 400


@given(
    st.dictionaries(st.sampled_from(sorted(ALL)), st.text(max_size=8) | st.integers().map(str)),
    st.text(max_size=8),
    st.text(max_size=8),
)
def test_any_query_leads_to_one_of_a_few_variants(query, width, ratio):
    made = variant(Hints(width, ratio), **query)
    assert made.width in (0, *WIDTHS)
    assert made.height in (0, *HEIGHTS)
    assert made.quality in QUALITIES
    assert made.fit in ("", "contain", "cover")
    assert len(made.mark) <= 255


@pytest.mark.parametrize(
    ("query", "rest"),
    [
        ("w=100", ""),
        ("v=1&w=100&h=2&a", "v=1&a"),
        ("%77=100&x=w", "x=w"),
        ("w&w=&ww=1", "ww=1"),
        ("", ""),
    ],
)
def test_parameters_are_removed_from_the_query(query, rest):
    assert without(query, ALL, None) == rest


def test_parameters_follow_in_their_normal_form():
    made = Variant("webp", 200, 0, "", 80)
    assert without("w=150&v=1&dpr=1", frozenset({"w", "dpr", "q"}), made) == "v=1&w=200&q=80"
