"""Exclusions: a rule that does not look at one variable on one path, until a date.

    # REQUEST_ID
    SecRule REQUEST_FILENAME "@streq /search" \\
        "id:445001,phase:1,pass,nolog,t:none,tag:'exclusion/942100',tag:'expires/2027-02-26',chain"
        SecRule TIME_EPOCH "@lt 1803600000" "t:none,ctl:ruleRemoveTargetById=942100;ARGS:q"

The exclusion ends by itself after its date; `adc check` warns of one that is over.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from adc_plugins.waf.seclang.model import LoadWarning, OperatorCall, Place, Program, Rule
from adc_plugins.waf.seclang.ranges import parse_ids

FIRST_ID: Final = 445_001
LAST_ID: Final = 449_999
_TAG: Final = "exclusion/"
_EXPIRES: Final = "expires/"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./~\[\]$-]+")
_LETTER: Final = re.compile(rb"[A-Za-z0-9_/-]")


@dataclass(frozen=True, slots=True)
class Exclusion:
    """`target` is a variable such as `ARGS:q`; empty if the rule as a whole is left out. `expires` is its last day."""

    rule: int
    target: str
    path: bytes
    expires: date
    reason: str

    def directive(self, number: int) -> str:
        """Return the rule `number` that excludes."""
        tags = f"tag:'{_TAG}{self.rule}',tag:'{_EXPIRES}{self.expires}'"
        return (
            f"# {self.reason}\n"
            f'SecRule REQUEST_FILENAME "{_path_operator(self.path)}" \\\n'
            f'    "id:{number},phase:1,pass,nolog,t:none,{tags},chain"\n'
            f'    SecRule TIME_EPOCH "@lt {_end_of(self.expires)}" "t:none,ctl:{self.control}"\n'
        )

    @property
    def control(self) -> str:
        """The value of the `ctl` action."""
        if self.target:
            return f"ruleRemoveTargetById={self.rule};{self.target}"
        return f"ruleRemoveById={self.rule}"


def target_of(variable: str, key: str) -> str:
    """Return the target that names one item of a variable; a key with other characters is an expression."""
    if not key:
        return variable
    if _PLAIN.fullmatch(key) and not key.startswith("/"):
        return f"{variable}:{key}"
    return f"{variable}:/{_exactly(key.encode('utf-8', 'surrogateescape'))}/"


def free_id(program: Program) -> int:
    """Return an id for an exclusion that no rule has. Raises ValueError if none is left."""
    used = {item.id for item in program.items if isinstance(item, Rule)}
    for number in range(FIRST_ID, LAST_ID + 1):
        if number not in used:
            return number
    raise ValueError(f"all ids from {FIRST_ID} to {LAST_ID} are used; remove exclusions")


def is_excluded(program: Program, exclusion: Exclusion, now: float) -> bool:
    """Return True if the program has the exclusion already, and it has not expired."""
    today = datetime.fromtimestamp(now, UTC).date()
    name, _, argument = _path_operator(exclusion.path).removeprefix("@").partition(" ")
    for rule in program.items:
        if (
            isinstance(rule, Rule)
            and rule.chain is not None
            and rule.operator == OperatorCall(name, argument)
        ):
            expires = _date(_tagged(rule.tags, _EXPIRES))
            if expires is not None and expires >= today and rule.chain.last("ctl") == exclusion.control:
                return True
    return False


def dead_exclusions(program: Program, now: float) -> Iterator[LoadWarning]:
    """Yield a warning for each exclusion that has expired, or excludes a rule that does not exist."""
    rules = [item for item in program.items if isinstance(item, Rule)]
    ids = sorted(rule.id for rule in rules)
    today = datetime.fromtimestamp(now, UTC).date()
    for rule in rules:
        for place, option, written in _excluded(rule):
            if not any(_any_between(ids, first, last) for first, last in parse_ids(written, place).ranges):
                yield LoadWarning(
                    place, f"rule {rule.id}: {option} names {written}, and there is no such rule"
                )
        expires = _date(_tagged(rule.tags, _EXPIRES))
        if expires is not None and expires < today:
            yield LoadWarning(rule.place, f"exclusion {rule.id} expired on {expires}; remove it")


def _excluded(rule: Rule) -> Iterator[tuple[Place, str, str]]:
    """Yield the ids that `ctl` actions of a rule, and of those chained to it, exclude."""
    link: Rule | None = rule
    while link is not None:
        for action in link.actions:
            option, _, argument = action.value.partition("=")
            if action.name == "ctl" and option.lower() in ("ruleremovebyid", "ruleremovetargetbyid"):
                yield link.place, f"ctl:{option}", argument.partition(";")[0]
        link = link.chain


def _any_between(ids: Sequence[int], first: int, last: int) -> bool:
    position = bisect_left(ids, first)
    return position < len(ids) and ids[position] <= last


def last_day(days: int, now: float) -> date:
    """Return the day that is `days` days after `now`."""
    return datetime.fromtimestamp(now, UTC).date() + timedelta(days=days)


def _tagged(tags: Iterable[str], prefix: str) -> str | None:
    return next((tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)), None)


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _end_of(day: date) -> int:
    return int(datetime.combine(day + timedelta(days=1), time(), UTC).timestamp())


def _path_operator(path: bytes) -> str:
    text = path.decode("latin-1")
    return f"@streq {text}" if _PLAIN.fullmatch(text) else f"@rx {_exactly(path)}"


def _exactly(value: bytes) -> str:
    """Return an expression that matches `value` alone, in characters that SecLang does not read."""
    escaped = "".join(
        chr(code) if _LETTER.fullmatch(bytes([code])) and code != 0x2F else f"\\x{code:02x}" for code in value
    )
    return rf"^{escaped}\z"
