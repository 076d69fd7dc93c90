"""Reasons that keep a correct configuration from being served."""

from __future__ import annotations


class BuildError(Exception):
    """A configuration that cannot be compiled or served here; the text is for the user."""
