"""Lists of rule ids: `1,5 10-20`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from adc_plugins.waf.seclang.model import Place, SecLangError

_ITEM = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?")


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids and ranges of ids, both ends included."""

    ranges: tuple[tuple[int, int], ...]

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self.ranges)

    def __str__(self) -> str:
        return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in self.ranges)


def parse_ids(text: str, place: Place) -> Ids:
    """Return the ids that `text` names, separated by blanks or commas."""
    ranges = []
    for item in re.split(r"[\s,]+", text.strip()):
        matched = _ITEM.fullmatch(item)
        if not matched:
            raise SecLangError(place, f'"{item}" is neither an id nor a range of ids such as 1-5')
        first, last = int(matched[1]), int(matched[2] or matched[1])
        if first > last:
            raise SecLangError(place, f'the range "{item}" ends before it begins')
        ranges.append((first, last))
    return Ids(tuple(ranges))
