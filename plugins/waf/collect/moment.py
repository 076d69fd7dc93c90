"""The `TIME` variables: the moment of a request in local time."""

from __future__ import annotations

from time import localtime, strftime
from typing import Final

_FORMATS: Final = {
    "TIME": "%H:%M:%S",
    "TIME_DAY": "%d",
    "TIME_HOUR": "%H",
    "TIME_MIN": "%M",
    "TIME_SEC": "%S",
    "TIME_YEAR": "%Y",
}

TIME_NAMES: Final = (*_FORMATS, "TIME_EPOCH", "TIME_MON", "TIME_WDAY")


def time_variable(name: str, seconds: float) -> bytes:
    """Return the value of the variable `name`; months count from 0, days of the week from Sunday."""
    if name == "TIME_EPOCH":
        return b"%d" % seconds
    moment = localtime(seconds)
    if name == "TIME_MON":
        return b"%d" % (moment.tm_mon - 1)
    if name == "TIME_WDAY":
        return b"%d" % ((moment.tm_wday + 1) % 7)
    return strftime(_FORMATS[name], moment).encode()
