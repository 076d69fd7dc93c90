"""Mutation fuzzing of rule files: a program or a SecLangError with a place, nothing else.

`python -m tests.fuzz.fuzz_seclang [iterations] [seed]` runs as long as you like; `test_fuzz_seclang.py` does so for a
moment.
"""

from __future__ import annotations

import sys
from random import Random

from adc_plugins.waf.seclang.model import SecLangError
from adc_plugins.waf.seclang.parse import parse

SEEDS = (
    "SecRule ARGS|!ARGS:/^a|b/|&REQUEST_HEADERS:'Host' \"!@rx \\\"a\\d\" \\\n  \"id:1,block,msg:'it\\'s'\"\n",
    'SecRule XML:/*|TX:a "@eq 0" "id:2,chain,deny,status:403"\n  SecRule ARGS "a" "setvar:\'tx.a=+%{tx.b}\'"\n',
    'SecDefaultAction "phase:1,log,pass"\nSecAction "id:3,phase:1,skipAfter:END"\nSecMarker "END"\n',
    'SecRuleRemoveById 1 2-3\nSecRuleUpdateTargetById 1:1 "!ARGS:a" "TX"\nSecRuleUpdateActionById 3 "deny,tag:x"\n',
    'SecRuleUpdateTargetByTag "a.*" "!ARGS"\nSecRuleRemoveByMsg "^x"\nSecRuleRemoveByTag y\n',
    "SecRequestBodyLimit 10\nSecResponseBodyMimeType a/b\nSecArgumentSeparator &\n# SecRule \\\n x\n",
    'SecAction "id:4,ctl:ruleRemoveTargetById=1-2;ARGS:a,initcol:ip=%{REMOTE_ADDR},expirevar:ip.a=1"\n',
)
SPICE = (
    '"',
    "'",
    "\\",
    "\\\n",
    "\n",
    ",",
    ":",
    "|",
    "/",
    "!",
    "&",
    "@",
    "#",
    " ",
    "\r\n",
    "\0",
    "\udcff",
    "é",
    "chain,",
)


def mutated(text: str, chance: Random) -> str:
    """Return `text` with one to five pieces inserted, removed, repeated or replaced."""
    for _ in range(chance.randint(1, 5)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.randint(0, 8))
        piece = chance.choice(("", chance.choice(SPICE), text[start:end] * 2, chance.choice(SEEDS)))
        text = text[:start] + piece + text[end:]
    return text


def check(text: str) -> None:
    """A rule file is read, or refused with its place."""
    try:
        parse([("f.conf", text)])
    except SecLangError as error:
        place = error.place
    else:
        return
    assert place.file == "f.conf"
    assert 1 <= place.line <= text.count("\n") + 1


def fuzz(iterations: int, seed: int) -> None:
    """Check `iterations` mutations; the same seed tries the same ones."""
    chance = Random(seed)
    for _ in range(iterations):
        text = mutated("".join(chance.sample(SEEDS, 3)), chance)
        try:
            check(text)
        except Exception:
            print(f"seed {seed}: {text!r}", file=sys.stderr)
            raise


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    fuzz(numbers[0] if numbers else 1_000_000, numbers[1] if numbers[1:] else 0)
