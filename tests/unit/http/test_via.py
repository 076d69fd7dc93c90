"""How often a request came through us."""

import pytest

from adc.http.via import MOST_ROUNDS, goes_round


@pytest.mark.parametrize(
    "form", [b"1.1 adc", b"1.0 adc (a proxy)", b"HTTP/1.1\tadc", b"1.1 ADC", b" , ,1.1 adc\t,"]
)
def test_as_many_rounds_as_allowed_are_no_loop_and_one_more_is(form):
    assert not goes_round(b", ".join([form] * MOST_ROUNDS))
    assert goes_round(b", ".join([form] * (MOST_ROUNDS + 1)))


def test_others_whose_names_are_like_ours_do_not_count():
    assert not goes_round(
        b",".join([b"1.1 adc2", b"1.1 my-adc", b"1.1 other (adc)", b"adc", b"", b"1.1"] * 20)
    )
