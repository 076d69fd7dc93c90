"""wapiti over the whole shop: SQL injection, scripts, commands, files."""

import json
import shutil
from pathlib import Path

from tests.attacks.setting import AGENT, Outcome, output, protected, protections, shop

KINDS = ("SQL Injection", "Cross Site Scripting", "Command execution", "Path Traversal")

EXPECTED = {"none": set(KINDS), "core": set()}
"""The OWASP CRS lets probes pass at its level 1: `/etc/services` as a value, two quotes with a parenthesis."""


async def run(folder: Path) -> list[Outcome] | None:
    """Return an outcome for each protection; None without wapiti."""
    program = shutil.which("wapiti")
    if program is None:
        return None
    outcomes = []
    async with shop() as member:
        for name, options in protections().items():
            place = folder / name
            async with protected(place, member, options) as port:
                found = await _findings(program, place, port)
            note = ", ".join(f"{kind}: {found[kind]}" for kind in KINDS if found[kind])
            kinds = {kind for kind in KINDS if found[kind]}
            wrong = "" if kinds == EXPECTED.get(name, kinds) else f"expected {sorted(EXPECTED[name])}"
            outcomes.append(
                Outcome(f"wapiti, rules: {name}", sum(map(bool, found.values())), len(KINDS), note, wrong)
            )
    return outcomes


async def _findings(program: str, folder: Path, port: int) -> dict[str, int]:
    report = folder / "report.json"
    printed = await output(
        program,
        "-u",
        f"http://127.0.0.1:{port}/",
        "-m",
        "sql,xss,exec,file",
        "--flush-session",
        "--no-bugreport",
        "-v",
        "0",
        "-A",
        AGENT,
        "--max-scan-time",
        "2",
        "-f",
        "json",
        "-o",
        str(report),
        folder=folder,
    )
    if not report.exists():
        raise RuntimeError(f"wapiti wrote no report: {printed[-500:]}")
    found = json.loads(report.read_text())["vulnerabilities"]
    return {kind: len(found.get(kind, ())) for kind in KINDS}
