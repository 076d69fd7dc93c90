import pytest

from adc.config.units import (
    format_duration,
    format_share,
    format_size,
    parse_duration,
    parse_share,
    parse_size,
    quote,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("30s", 30),
        ("10m", 600),
        ("1h", 3600),
        ("7d", 604800),
        ("1.5s", 1.5),
        ("0s", 0),
        (0, 0),
    ],
)
def test_durations_are_seconds(text: object, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", [10, 1.5, "10", "s", "-1s", "10 sec", "1H", "1m30s", "", None, True, [], "9" * 400 + "s"]
)
def test_a_duration_without_a_known_unit_is_refused_with_the_units(text: object) -> None:
    with pytest.raises(ValueError, match="ms, s, m, h or d"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("512B", 512), ("64KB", 65536), ("1GB", 1 << 30), ("1.5KB", 1536), ("2kb", 2048), (0, 0)],
)
def test_sizes_are_bytes_of_1024_to_the_kilobyte(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", [64, "64", "64K", "1KiB", "KB", False])
def test_a_size_without_a_known_unit_is_refused_with_the_units(text: object) -> None:
    with pytest.raises(ValueError, match="B, KB, MB, GB or TB"):
        parse_size(text)


def test_shares_are_fractions() -> None:
    assert parse_share("20%") == pytest.approx(0.2)


@pytest.mark.parametrize("text", [0.2, "20", "%", 20])
def test_a_share_without_a_percent_sign_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="percentage"):
        parse_share(text)


@pytest.mark.parametrize("text", ["500ms", "30s", "90s", "2m", "1h", "30d", "0"])
def test_durations_are_written_as_they_are_read(text: str) -> None:
    assert parse_duration(format_duration(parse_duration(text))) == pytest.approx(parse_duration(text))


def test_the_largest_unit_without_a_fraction_is_written() -> None:
    assert [format_duration(0.05), format_duration(90), format_duration(86400)] == ["50ms", "90s", "1d"]
    assert [format_size(32768), format_size(1 << 30), format_size(0)] == ["32KB", "1GB", "0"]
    assert format_share(0.2) == "20%"


def test_a_quoted_value_is_short_and_on_one_line() -> None:
    assert quote("a\nb") == '"a\\nb"'
    assert len(quote("x" * 1000)) < 70
    assert [quote(True), quote(None), quote({}), quote([])] == ["true", "nothing", "a mapping", "a list"]
