"""`adc explain CONFIG METHOD URL`: the route of a request, and the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from adc.cli.arguments import ConfigPath, Json
from adc.cli.loading import load_or_fail
from adc.cli.output import MISUSED, fail, print_json

if TYPE_CHECKING:
    from adc.cli.asking import Decision
    from adc.routing.router import ExplainStep


def explain(
    config: ConfigPath,
    method: Annotated[str, typer.Argument(help="Method, such as GET.", show_default=False)],
    url: Annotated[str, typer.Argument(help="A path, or a whole URL whose host counts.", show_default=False)],
    header: Annotated[
        list[str] | None, typer.Option("-H", "--header", metavar="'NAME: VALUE'", help="A field; repeatable.")
    ] = None,
    source: Annotated[str, typer.Option(help="Address of the client.")] = "127.0.0.1",
    listener: Annotated[
        str | None,
        typer.Option(help="Listener that accepts the request; by default the first one of the URL's scheme."),
    ] = None,
    json: Json = False,
) -> None:
    """Show which route handles a request and why, each step with its line; nothing is sent.

    Trusted proxies and redirect_to_https apply as in the service; plugins are named, but do not run.
    """
    from adc.cli.asking import BadQuestion, decide, listener_for, make_request

    loaded = load_or_fail(config)
    try:
        chosen = listener_for(loaded, listener, url)
        fields = [_field(line) for line in header or []]
        request = make_request(method, url, fields, source, secure=chosen.tls is not None)
        decision = decide(loaded, chosen, request)
    except BadQuestion as error:
        fail(str(error), MISUSED)
    if json:
        print_json(
            {"listener": chosen.name, "steps": [_row(decision, step) for step in decision.steps]}
            | decision.outcome
        )
        return
    for step in decision.steps:
        print(_line(decision, step))
    print(_verdict(decision))


def _field(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        fail(f"{line!r} is not a field; write 'Name: value'", MISUSED)
    return name.strip(), value.strip()


def _row(decision: Decision, step: ExplainStep) -> dict[str, Any]:
    return {
        "route": decision.routes[step.rule].name,
        "key": step.key,
        "wanted": step.wanted,
        "got": step.got,
        "ok": step.ok,
        "where": step.where,
    }


def _line(decision: Decision, step: ExplainStep) -> str:
    name = decision.routes[step.rule].name
    if not step.key:
        return f"{step.where}: {name}: matches everything"
    verdict = "matches" if step.ok else "does not match"
    return f"{step.where}: {name}: {step.key} {step.got or 'nothing'} {verdict} {step.wanted}"


def _verdict(decision: Decision) -> str:
    outcome = decision.outcome
    if "by" in outcome:
        return f"-> {outcome['by']}: status {outcome['status']}, redirect {outcome.get('redirect', 'none')}"
    if decision.route is None:
        return "no route matches: 404"
    if "why" in outcome:
        return f"refused: 400: {outcome['why']}"
    facts = [f"{key} {value}" for key, value in outcome.items() if key not in ("route", "split", "plugins")]
    shares = outcome.get("split", {})
    facts += ["split " + ", ".join(f"{pool} {weight}" for pool, weight in shares.items())] if shares else []
    plugins = outcome.get("plugins")
    facts += [f"unless a plugin decides otherwise: {', '.join(plugins)}"] if plugins else []
    return f"-> {decision.route.name}: {', '.join(facts)}"
