"""Tests wait for events: a pause is too short on a busy machine, and too long on any other."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[2]
MEASURED = {"apps", "attacks", "clients", "faults", "fuzz", "soak"}
"""Folders of programs that put load on a service for a time, and measure."""

LONGEST = 0.1
"""Seconds: what a script of a member may take, so that something else comes first."""


def pauses(file):
    """Yield the calls of `sleep` with a number of seconds, and that number."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("sleep") and node.args:
            seconds = node.args[0]
            if isinstance(seconds, ast.Constant) and isinstance(seconds.value, int | float):
                yield node.lineno, seconds.value


def test_no_test_pauses_for_long():
    files = [file for file in sorted(TESTS.rglob("*.py")) if file.relative_to(TESTS).parts[0] not in MEASURED]
    found = [(file, *pause) for file in files for pause in pauses(file)]
    assert len(found) > 50
    long = [
        f"{file.relative_to(TESTS)}:{line}: {seconds} s" for file, line, seconds in found if seconds > LONGEST
    ]
    unending = [each for each in long if float(each.split()[-2]) >= 60]  # of what is cancelled or killed
    assert long == unending
