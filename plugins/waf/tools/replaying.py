"""`adc waf replay`: a recording against the routes of a configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from adc_plugins.waf.engine import Ruleset
from adc_plugins.waf.printable import json_line
from adc_plugins.waf.tools.replay import Summary, replay
from adc_plugins.waf.tools.replay_input import Recorded, Recording
from adc_plugins.waf.tools.uses import ignored, uses_of

from adc.plugin import CommandHost, PluginConfiguration


def replay_file(recording: Path, host: CommandHost, config: Path) -> tuple[Summary, int]:
    """Return the summary, and the number of lines that are no requests."""
    requests = Recording(recording)
    summary = replay(requests, _finder(host.configuration(config)))
    return summary, requests.unread


def _finder(configuration: PluginConfiguration) -> Callable[[Recorded], Ruleset | None]:
    """Return the function that finds the rules of a request; each route's are compiled once."""
    uses = {use.route: use for use in uses_of(configuration) if use.options.mode != "off"}
    rulesets: dict[str, Ruleset] = {}

    def find(recorded: Recorded) -> Ruleset | None:
        request = recorded.request
        try:
            route = configuration.route(request.method, recorded.url, request.headers)
        except ValueError:
            return None
        if route is None or route not in uses:
            return None
        if route not in rulesets:
            rulesets[route] = uses[route].ruleset({}, ignored)
        return rulesets[route]

    return find


def report(summary: Summary, unread: int, most: int) -> Iterator[str]:
    """Yield the lines for a person."""
    passed = f", {summary.outside} outside of the firewall" if summary.outside else ""
    yield (
        f"{summary.requests} requests{passed}: {summary.matched} matched a rule, {summary.blocked} would be blocked"
    )
    if unread:
        yield f"{unread} lines are no requests"
    groups = summary.sorted_groups()
    for group in groups[:most]:
        yield ""
        yield f"rule {group.rule} on {group.path}: {group.count} requests, {group.blocked} of them blocked"
        yield f"  {group.message} ({group.place})"
        if group.example:
            yield f"  {group.example}"
    if len(groups) > most:
        yield f"{len(groups) - most} more groups; see --most and --json"
    if summary.left_out:
        yield f"{summary.left_out} matches in further groups were not counted"


def as_json(summary: Summary, unread: int) -> str:
    """Return the summary for a program."""
    value = {
        name: getattr(summary, name) for name in ("requests", "outside", "matched", "blocked", "left_out")
    }
    groups = [asdict(group) for group in summary.sorted_groups()]
    return json_line(value | {"unread": unread, "groups": groups}, indent=1)
