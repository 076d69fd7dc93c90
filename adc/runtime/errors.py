"""What can keep a configuration from being served although its text is right."""

from __future__ import annotations


class BuildError(Exception):
    """A configuration that cannot be compiled or served here; the text is for the user."""
