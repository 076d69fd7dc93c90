"""Responses of text/html checked as the parser of the WHATWG standard sees them.

`parse` and `tree` show what that parser builds, `check` its errors.
"""

from .syntax.check import check
from .tree import parse, tree

__all__ = ["check", "parse", "tree"]
