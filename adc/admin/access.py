"""Who may call the admin server."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(slots=True)
class Access:
    """The access rules: names by which the server may be called, and the token that a request must carry ("": none)."""

    hosts: Collection[str] = ()
    token: str = ""
