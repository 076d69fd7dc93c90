"""Where rules in Python run: before the rules that evaluate scores, if the paranoia level includes them."""

from __future__ import annotations

from collections.abc import Sequence

from adc_plugins.waf.seclang.drafts import Draft
from adc_plugins.waf.seclang.model import Action, CodeRule, Marker, OperatorCall, Target

_RESPONSE_PHASE = 3


def evaluation_position(items: Sequence[Draft | Marker], phase: int) -> int:
    """Return the index of the first rule that reads the scores to which rules of `phase` add; the end without one."""
    direction = "inbound" if phase < _RESPONSE_PHASE else "outbound"
    name = f"{direction}_anomaly_score_pl"
    for index, item in enumerate(items):
        if isinstance(item, Draft) and _reads(item, name):
            return index
    return len(items)


def guarded(rule: CodeRule, draft: Draft) -> list[Draft | Marker]:
    """Return `draft`, which is skipped below the paranoia level of `rule`; level 1 always runs."""
    if rule.level == 1:
        return [draft]
    marker = f"END-PYTHON-{draft.id}"
    actions = (
        Action("phase", str(draft.phase)),
        Action("pass"),
        Action("nolog"),
        Action("skipafter", marker),
    )
    level = Target("TX", "detection_paranoia_level")
    guard = Draft(rule.place, actions, (level,), OperatorCall("lt", str(rule.level)))
    return [guard, draft, Marker(rule.place, marker)]


def _reads(draft: Draft, name: str) -> bool:
    for link in (draft, *draft.chained):
        if any(target.variable == "TX" and name in (target.key or "") for target in link.targets):
            return True
        texts = [action.value for action in link.actions]
        if link.operator:
            texts.append(link.operator.argument)
        if any(f"%{{tx.{name}" in text.lower() for text in texts):
            return True
    return False
