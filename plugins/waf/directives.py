"""The plugin's options as directives, read with the rule files."""

from __future__ import annotations

from adc_plugins.waf.options import WafOptions
from adc_plugins.waf.rule_files import Source

FILE = "(options of the plugin)"
_FIRST_ID = 200_000_101
_LEVELS = (
    ("paranoia", "blocking_paranoia_level"),
    ("detection_paranoia", "detection_paranoia_level"),
    ("anomaly_threshold", "inbound_anomaly_score_threshold"),
    ("outbound_anomaly_threshold", "outbound_anomaly_score_threshold"),
)
_SIZES = (("request_body_limit", "SecRequestBodyLimit"), ("response_body_limit", "SecResponseBodyLimit"))
_ACTIONS = {"reject": "Reject", "pass": "ProcessPartial"}


def with_options(options: WafOptions, setup: list[Source], others: list[Source]) -> list[Source]:
    """Return all files in order: the setup, levels and thresholds that are given and override it, the rules, and sizes
    that are given and override theirs."""
    levels = [
        f'SecAction "id:{_FIRST_ID + number},phase:1,pass,nolog,t:none,setvar:tx.{variable}={value}"'
        for number, (option, variable) in enumerate(_LEVELS)
        if (value := getattr(options, option)) is not None
    ]
    sizes = []
    for option, directive in _SIZES:
        size, action = getattr(options, option), getattr(options, f"{option}_action")
        if size is not None:
            sizes.append(f"{directive} {size}")
            if option == "request_body_limit":
                sizes.append(f"SecRequestBodyNoFilesLimit {size}")
        if action is not None:
            sizes.append(f"{directive}Action {_ACTIONS[action]}")
    return [*setup, *_source(levels), *others, *_source(sizes)]


def _source(lines: list[str]) -> list[Source]:
    return [(FILE, "\n".join(lines))] if lines else []
