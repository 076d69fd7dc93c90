"""Rule engines in this process, with the same rules: adc's firewall and libmodsecurity."""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.waf_cases import WafCase

SETTINGS = """
SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 1310720
SecResponseBodyAccess On
SecResponseBodyMimeType text/plain text/html
SecResponseBodyLimit 524288
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/json" \
    "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecAction "id:900005,phase:1,nolog,pass,t:none,setvar:tx.crs_setup_version=4290,\
    setvar:tx.blocking_paranoia_level=1,setvar:tx.detection_paranoia_level=%d"
"""
"""The recommended settings. Rules up to the given level run; those above 1 only log, so no request is cut short."""

NO_CRS = "no OWASP CRS: name its folder with ADC_CRS"

PAGE = b"<html><body>" + b"<p>Shoes of all sizes, in stock.</p>\n" * 28 + b"</body></html>"
"""The body of each response, 1 KB of HTML."""

Run = Callable[[WafCase], tuple[int, ...]]
"""Runs the five phases on a request and its response; returns the ids of the rules that matched and log."""


def crs_folder() -> Path | None:
    """Return the folder named by ADC_CRS, or `shared/crs` beside the checkout or above it; None without one."""
    named = os.environ.get("ADC_CRS")
    parents = Path(__file__).resolve().parents[2:]
    candidates = [Path(named)] if named else [parent / "shared" / "crs" for parent in parents]
    return next((folder for folder in candidates if (folder / "rules").is_dir()), None)


def missing(engine: str) -> str:
    """Return why `engine` cannot run the rules here, empty if it can."""
    if crs_folder() is None:
        return NO_CRS
    if engine == "libmodsecurity" and importlib.util.find_spec("libmodsecurity") is None:
        return "libmodsecurity not installed: pip install libmodsecurity"
    return ""


def adc(crs: Path, level: int, cache: Path) -> Run:
    """Load the rules into adc's engine; compiled databases are kept in `cache`."""
    from adc_plugins.waf.collect.facts import RequestFacts
    from adc_plugins.waf.engine.ruleset import Ruleset

    files = [(str(file), file.read_text("utf-8")) for file in _files(crs)]
    rules = Ruleset.load([("settings.conf", SETTINGS % level), *files], cache=cache)

    def run(case: WafCase) -> tuple[int, ...]:
        facts = RequestFacts(
            case.method.encode(),
            case.target.encode(),
            b"HTTP/1.1",
            [(name.encode(), value.encode()) for name, value in case.fields],
            b"203.0.113.7",
            40000,
            b"192.0.2.1",
            80,
            b"-",
            time.time(),
        )
        transaction = rules.transaction(facts)
        if transaction.request_head() is None and transaction.request_body(case.body, False) is None:
            transaction.response_head(200, b"HTTP/1.1", [(b"Content-Type", b"text/html")])
            transaction.response_body(PAGE, False)
        transaction.logging()
        return tuple(match.rule_id for match in transaction.matches)

    return run


def libmodsecurity(crs: Path, level: int, cache: Path) -> Run:
    """Load the rules into libmodsecurity, which keeps nothing in `cache`."""
    from libmodsecurity import ModSecurity, RulesSet, Transaction

    engine = ModSecurity()
    engine.set_log_callback(lambda line: None)
    rules = RulesSet()
    _check(rules, rules.load(SETTINGS % level))
    for file in _files(crs):
        _check(rules, rules.load_from_uri(str(file)))

    def run(case: WafCase) -> tuple[int, ...]:
        transaction = Transaction(engine, rules)
        if not _stopped(transaction, case):
            transaction.add_response_header("Content-Type", "text/html")
            transaction.process_response_headers(200, "HTTP/1.1")
            transaction.append_response_body(PAGE)
            transaction.process_response_body()
        transaction.process_logging()
        return tuple(message.rule_id for message in transaction.get_rule_messages())

    return run


def _stopped(transaction: Any, case: WafCase) -> bool:
    """Run the phases of the request; return True if one of them rejects it."""
    transaction.process_connection("203.0.113.7", 40000, "192.0.2.1", 80)
    transaction.process_uri(case.target, case.method, "1.1")
    for name, value in case.fields:
        transaction.add_request_header(name, value)
    transaction.process_request_headers()
    if transaction.intervention() is not None:
        return True
    if case.body:
        transaction.append_request_body(case.body)
    transaction.process_request_body()
    return transaction.intervention() is not None


def _files(crs: Path) -> list[Path]:
    return sorted((crs / "rules").glob("*.conf"))


def _check(rules: Any, loaded: int) -> None:
    if loaded < 0:
        raise ValueError(rules.get_parser_error())


ENGINES: dict[str, Callable[[Path, int, Path], Run]] = {"libmodsecurity": libmodsecurity, "adc": adc}
