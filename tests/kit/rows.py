"""Rows of operations."""

from dataclasses import fields

from adc.runtime.operations.members import MemberRow

_EMPTY = {"str": "", "int": 0, "float": 0.0, "bool": False, "float | None": None}


def row(pool="app", member="a", **columns):
    """A member's row; columns that are not given are empty."""
    empty = {field.name: _EMPTY[field.type] for field in fields(MemberRow)}
    return MemberRow(**{**empty, "pool": pool, "member": member, **columns})
