"""HTTP dates (RFC 9110 section 5.6.7): the three forms that must be read and the one that may be written."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from time import gmtime

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONG_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_NUMBERS = {name.lower().encode(): number for number, name in enumerate(_MONTHS, 1)}

_DAY, _LONG_DAY, _MONTH = "|".join(_DAYS), "|".join(_LONG_DAYS), f"(?P<month>{'|'.join(_MONTHS)})"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"


def _form(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode(), re.IGNORECASE)


_IMF_FIXDATE = _form(rf"(?:{_DAY}), (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT")
_RFC_850 = _form(rf"(?:{_LONG_DAY}), (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT")
_ASCTIME = _form(rf"(?:{_DAY}) {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})")

_EPOCH = date(1970, 1, 1).toordinal()
_LONGEST = len("Wednesday, 00-Jan-00 00:00:00 GMT")
_CENTURY = 100
_FUTURE_YEARS = 50


def parse_http_date(value: bytes, now: float) -> int | None:
    """Return the seconds since the epoch that `value` names, None if it has none of the three forms.

    Names are matched without regard to case (RFC 9111 section 4.2); the day of the week may contradict the date. A
    two-digit year more than 50 years after `now` (wall-clock seconds) is in the past.
    """
    if len(value) > _LONGEST:
        return None
    match = _IMF_FIXDATE.fullmatch(value) or _ASCTIME.fullmatch(value)
    if match is not None:
        return _seconds(match, int(match["year"]))
    match = _RFC_850.fullmatch(value)
    return None if match is None else _seconds(match, _full_year(int(match["year"]), gmtime(now).tm_year))


def http_date(now: float) -> bytes:
    """Return `now` (seconds since the epoch) as an IMF-fixdate; the text of a second is made once."""
    return _http_date(int(now))


@lru_cache(maxsize=256)
def _http_date(second: int) -> bytes:
    year, month, day, hour, minute, sec, weekday = gmtime(second)[:7]
    text = f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} {hour:02}:{minute:02}:{sec:02} GMT"
    return text.encode()


def _full_year(two_digits: int, this_year: int) -> int:
    year = this_year - this_year % _CENTURY + two_digits
    return year - _CENTURY if year > this_year + _FUTURE_YEARS else year


def _seconds(match: re.Match[bytes], year: int) -> int | None:
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"])
    if hour > 23 or minute > 59 or second > 60:
        return None
    try:
        day = date(year, _MONTH_NUMBERS[match["month"].lower()], int(match["day"])).toordinal()
    except ValueError:
        return None
    return (day - _EPOCH) * 86400 + hour * 3600 + minute * 60 + second
