"""Numbers of payment cards and of social security."""

from __future__ import annotations

import re
from abc import abstractmethod

from .expressions import Searcher
from .model import Match, Operator

_NOT_DIGITS = re.compile(rb"[^0-9]")
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def is_card_number(text: bytes) -> bool:
    """True if the digits in a text pass the Luhn check."""
    digits = [byte - 0x30 for byte in reversed(_NOT_DIGITS.sub(b"", text))]
    return bool(digits) and (sum(digits[::2]) + sum(_DOUBLED[digit] for digit in digits[1::2])) % 10 == 0


def is_social_security_number(text: bytes) -> bool:
    """True if the nine digits in a text can be a number of the United States."""
    digits = _NOT_DIGITS.sub(b"", text)
    if len(digits) != 9 or len(set(digits)) == 1 or digits in b"0123456789":
        return False
    area, group, serial = int(digits[:3]), int(digits[3:5]), int(digits[5:])
    return 0 < area < 740 and area != 666 and group > 0 and serial > 0


class _Verified(Operator):
    """A part of the value matches the expression and passes a check."""

    def __init__(self, argument: bytes) -> None:
        self._searcher = Searcher(argument)
        self.prefilter = self._searcher.prefilter

    def check(self) -> None:
        """Raise ValueError if the argument is no expression."""
        self._searcher.check()

    def match(self, value: bytes) -> Match | None:
        """Return the first part that passes."""
        return next(((part,) for part in self._searcher.parts(value) if self._check(part)), None)

    @abstractmethod
    def _check(self, text: bytes) -> bool:
        """Return True if the part passes."""


class VerifyCard(_Verified):
    """A part of the value is the number of a payment card."""

    def _check(self, text: bytes) -> bool:
        return is_card_number(text)


class VerifySsn(_Verified):
    """A part of the value is a social security number."""

    def _check(self, text: bytes) -> bool:
        return is_social_security_number(text)
