"""Every command line of the documentation names verbs, options and make targets that exist."""

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from adc.cli.app import app

ROOT = Path(__file__).parents[3]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted(page for page in (ROOT / "docs").rglob("*.md") if page.name != "cli.md"),
]
FENCED = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
END_OF_COMMAND = re.compile(r"\s(?:#|\||;|&&|>|2>).*")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def shown(page):
    """Every line of fenced blocks and every inline piece of code."""
    text = page.read_text("utf-8")
    for block in FENCED.findall(text):
        yield from (line.strip().removeprefix("$ ") for line in block.splitlines())
    yield from INLINE.findall(FENCED.sub("", text))


def commands(program):
    """Yield each command line that begins with `program`, with the page that shows it."""
    return [
        pytest.param(END_OF_COMMAND.sub("", line), id=f"{page.name}: {line[:60]}")
        for page in PAGES
        for line in shown(page)
        if line.split(" ")[0] in (program, f".venv/bin/{program}")
    ]


@cache
def adc_command():
    return get_command(app)


@pytest.mark.parametrize("line", commands("adc"))
def test_command_line_has_verbs_and_options_that_exist(line):
    command, words = adc_command(), shlex.split(line)[1:]
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        found = command.get_command(typer.Context(command), words[0])
        assert found is not None, f"{line}: no verb {words[0]}"
        command = found
        words.pop(0)
    known = {"--help"}.union(*(parameter.opts + parameter.secondary_opts for parameter in command.params))
    used = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}
    assert used <= known, f"{line}: {used - known}"


@pytest.mark.parametrize("line", commands("make"))
def test_make_target_exists(line):
    targets = {word for word in line.split()[1:] if "=" not in word}
    assert targets <= TARGETS


def test_there_are_command_lines_to_check():
    assert len(commands("adc")) >= 60
    assert len(commands("make")) >= 10
