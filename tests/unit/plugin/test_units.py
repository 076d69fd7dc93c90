from __future__ import annotations

import pytest

from adc.plugin.units import seconds, size


@pytest.mark.parametrize(
    ("text", "value"), [("500ms", 0.5), ("30s", 30), ("1.5m", 90), ("2 h", 7200), ("7d", 604800), (0, 0)]
)
def test_durations(text: object, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(("text", "value"), [("512B", 512), ("64KB", 65536), ("1mb", 1 << 20), ("0", 0)])
def test_sizes(text: object, value: int) -> None:
    assert size(text) == value


@pytest.mark.parametrize("text", ["", "5", 5, "5 years", "-1s", "1e3s", None, True, "9" * 20 + "s"])
def test_value_with_an_unknown_unit_is_rejected(text: object) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        seconds(text)
