import pytest

from benchmarks.figures import medians, ratio


def test_each_figure_is_the_median_of_its_rounds():
    rounds = [{"cpu_us": 10.0, "rate": 5.0}, {"cpu_us": 30.0, "rate": 1.0}, {"cpu_us": 11.0, "rate": 4.0}]
    assert medians(rounds) == {"cpu_us": 11.0, "rate": 4.0}


def test_failures_add_up_instead():
    assert medians([{"failed": 0.0}, {"failed": 3.0}, {"failed": 4.0}]) == {"failed": 7.0}


def test_ratio_is_the_median_of_the_ratios_of_each_round():
    subject = [{"cpu_us": 30.0}, {"cpu_us": 90.0}, {"cpu_us": 22.0}]
    base = [{"cpu_us": 20.0}, {"cpu_us": 30.0}, {"cpu_us": 20.0}]
    assert ratio(subject, base, "cpu_us") == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ([], []),
        ([{"rate": 1.0}], []),
        ([{}], [{"rate": 1.0}]),
        ([{"rate": 1.0}], [{}]),
        ([{"rate": 1.0}], [{"rate": 0.0}]),
    ],
)
def test_ratio_is_none_without_figures_on_both_sides(subject, base):
    assert ratio(subject, base, "rate") is None
