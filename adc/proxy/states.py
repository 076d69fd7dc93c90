"""The states of a request to a member, and of an exchange:

    AWAITING ──► RESPONDING ──► ENDED
        │  ▲          │           ▲
        │  └──────────┘           │
        └────────► SWITCHED ──────┘

A request returns from RESPONDING to AWAITING only while nothing has been sent to a client: when the content that came
with the head cannot be decoded, or when a cache asks again. Each state ends with ENDED, also by an abort. The numbers
are ordered: from RESPONDING on, a response has begun.
"""

from __future__ import annotations

from typing import Final

AWAITING: Final = 0
"""No response has begun."""
RESPONDING: Final = 1
"""The response head has been passed on."""
SWITCHED: Final = 2
"""The member agreed to another protocol: both sides send raw bytes."""
ENDED: Final = 3
"""Nothing more happens."""

STATES: Final = ("awaiting", "responding", "switched", "ended")
"""Their names."""
