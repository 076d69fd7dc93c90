"""`adc test CONFIG`: the expectations written beside the routes, against the routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from adc.cli.arguments import ConfigPath, Json
from adc.cli.loading import load_or_fail
from adc.cli.output import FAILED, print_json

if TYPE_CHECKING:
    from adc.config import Loaded
    from adc.config.model.expectations import Expectation

COMPARED = ("route", "pool", "status", "redirect", "path", "host")


def expectations(config: ConfigPath, json: Json = False) -> None:
    """Check the expectations under `tests:`; exit code 1 if one is not met. Nothing is sent."""
    loaded = load_or_fail(config)
    results = [_result(loaded, number, each) for number, each in enumerate(loaded.config.tests)]
    failed = sum(bool(result["failures"]) for result in results)
    if json:
        print_json({"ok": not failed, "results": results})
    else:
        for result in results:
            print(f"{'FAILED' if result['failures'] else 'ok':6} {result['name']}")
            for failure in result["failures"]:
                print(f"       {result['where']}: {failure}")
        print(f"{len(results) - failed} of {len(results)} expectations met")
    if failed:
        raise typer.Exit(FAILED)


def _result(loaded: Loaded, number: int, each: Expectation) -> dict[str, Any]:
    from adc.cli.asking import BadQuestion, decide, listener_for, make_request

    asked = each.request
    name = each.name or f"{asked.method} {asked.url}"
    where = str(loaded.where(("tests", number)))
    try:
        listener = listener_for(loaded, asked.listener, asked.url)
        secure = listener.tls is not None
        request = make_request(asked.method, asked.url, asked.headers.items(), asked.source, secure)
        outcome = decide(loaded, listener, request).outcome
    except BadQuestion as error:
        return {"name": name, "where": where, "failures": [str(error)]}
    return {"name": name, "where": where, "failures": _differences(each, outcome)}


def _differences(each: Expectation, outcome: dict[str, Any]) -> list[str]:
    failures = []
    for key in COMPARED:
        wanted = getattr(each.expect, key)
        if wanted is None:
            continue
        got = outcome.get(key)
        if key == "pool" and wanted in outcome.get("split", {}):
            continue
        if key == "route" and wanted == "none":
            wanted = None
        if got != wanted:
            failures.append(f"{key}: expected {wanted or 'none'}, got {got or 'none'}")
    return failures
