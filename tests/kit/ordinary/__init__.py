"""Ordinary web traffic, made from a seed: the same requests on every run. `traffic()` is the entrance."""

from tests.kit.ordinary.mixture import traffic

__all__ = ["traffic"]
