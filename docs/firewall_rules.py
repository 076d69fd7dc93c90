"""The page of the firewall's bundled rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adc_plugins.waf import rules
from adc_plugins.waf.seclang.model import Rule
from adc_plugins.waf.seclang.parse import load

FILES = sorted((Path(next(iter(rules.__path__))) / "core").glob("*.conf"))
SCORES = {"CRITICAL": 5, "ERROR": 4, "WARNING": 3, "NOTICE": 2}

HEAD = """# Bundled rules of the firewall

Made by `make docs` from `plugins/waf/rules/core/`. `rules: [core]` loads them; they are SecLang, which ModSecurity 3
loads too. Their ids lie between 440000 and 440999; those of the setup (4400xx) and of the evaluation (44096x to 44098x)
are not listed here.

A match adds the rule's score to `tx.inbound_anomaly_score_pl1` (`pl2` to `pl4` at higher levels, `outbound` for
responses). A request is blocked when the scores of the levels up to `paranoia` reach the threshold, 5 by default; a
response is withheld from 4. The variables are those of the OWASP Core Rule Set, so exclusions, thresholds and
`tx.allowed_methods` work alike.

Level 1 lets ordinary traffic pass: searches such as O'Brien, rich text from editors, code in forums, odd passwords
(`python -m tests.attacks ordinary` judges 10,000 such requests). It blocks what no rule can tell from an attack: a
forum that accepts raw HTML with scripts or event handlers, or an API that takes SQL, needs an exclusion for that
argument. Levels 2 to 4 find more, and need exclusions sooner."""


def firewall_rules() -> str:
    """Return the page: a table for each file of rules."""
    items = [item for item in load(FILES).items if isinstance(item, Rule)]
    lines = [HEAD]
    for file in FILES:
        rows = [_row(item) for item in items if item.place.file == str(file) and item.last("severity")]
        if rows:
            lines += ["", f"## {file.stem.partition('-')[2].capitalize()}", "", *_comment(file), ""]
            lines += ["| id | level | score | finds |", "|---|---|---|---|", *sorted(rows)]
    return "\n".join(lines) + "\n"


def _comment(file: Path) -> Iterator[str]:
    """Yield the lines of the comment that the file begins with."""
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("# "):
            return
        yield line[2:]


def _row(rule: Rule) -> str:
    level = next(tag.rpartition("/")[2] for tag in rule.tags if tag.startswith("paranoia-level/"))
    return f"| {rule.id} | {level} | {SCORES[rule.last('severity') or '']} | {rule.last('msg')} |"
