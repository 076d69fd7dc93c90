"""Sharing requests out by weight, as a canary release does."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


class Split(Generic[T]):
    """A choice of one value with a probability of its weight in the sum of weights.

    Raises `ValueError` for a negative weight or if none is positive.
    """

    __slots__ = ("_bounds", "_values")

    def __init__(self, shares: Sequence[tuple[T, int]]) -> None:
        if any(weight < 0 for _, weight in shares) or not any(weight for _, weight in shares):
            weights = ", ".join(str(weight) for _, weight in shares)
            raise ValueError(f"weights {weights}; allowed: 0 or more, at least one above 0")
        self._values = [value for value, weight in shares if weight]
        self._bounds = list(accumulate(weight for _, weight in shares if weight))

    def pick(self, random: Callable[[], float]) -> T:
        """Return a value by chance; `random` gives a number from 0 up to but not including 1."""
        return self._values[bisect_right(self._bounds, random() * self._bounds[-1])]
