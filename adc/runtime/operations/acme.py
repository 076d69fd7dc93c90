"""Challenges of a certificate authority, which the workers answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adc.runtime.operations.operation import NOTHING, Nothing, Operation

if TYPE_CHECKING:
    from adc.runtime.serve.view import Serving


@dataclass(frozen=True, slots=True)
class Challenges:
    """All http-01 challenges in progress: token -> key authorization (RFC 8555 section 8.3)."""

    challenges: dict[str, str]


class SetChallenges(Operation[Challenges, Nothing]):
    """Answer exactly these challenges from now on."""

    name = "acme.challenges"
    request = Challenges

    def run(self, worker: Serving, request: Challenges) -> Nothing:
        worker.challenges.clear()
        worker.challenges.update(request.challenges)
        return NOTHING


SET = SetChallenges()
