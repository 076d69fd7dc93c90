from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from adc.cli import admin_client, verbs
from adc.cli.app import app
from adc.cli.plugin_verbs import Host
from adc.plugin import CommandHost

greet = typer.Typer(help="Greet.")
not_a_verb = 5

CONFIG = """
listeners: [{name: web, bind: 127.0.0.1:0}]
routes:
  - {name: api, match: {path: /api/}, pool: app, plugins: [security_headers: {frame_options: DENY}]}
  - {name: bare, match: {path: /bare/}, pool: app}
  - {name: rest, pool: app, plugins: [security_headers]}
pools: {app: {members: [127.0.0.1:9]}}
"""


@greet.command("uses")
def list_uses(context: typer.Context, config: Path) -> None:
    """List uses of security_headers."""
    host: CommandHost = context.obj
    for use in host.configuration(config).uses("security_headers"):
        print(use.route, use.plugin.options.frame_options, use.place.rpartition("adc.yaml")[2])


@greet.command()
def route(context: typer.Context, config: Path, url: str) -> None:
    """Show the route of a request."""
    host: CommandHost = context.obj
    print(host.configuration(config).route("GET", url, [("X-A", "b")]))


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        EntryPoint("greet", f"{__name__}:greet", verbs.GROUP),
        EntryPoint("absent", "there_is_no_such_module:verb", verbs.GROUP),
        EntryPoint("wrong", f"{__name__}:not_a_verb", verbs.GROUP),
        EntryPoint("run", f"{__name__}:not_a_verb", verbs.GROUP),
    ]

    def entry_points(group: str, name: str | None = None) -> list[EntryPoint]:
        assert group == "adc.commands"
        return [entry for entry in entries if name in (None, entry.name)]

    monkeypatch.setattr(verbs, "entry_points", entry_points)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "adc.yaml"
    path.write_text(CONFIG)
    return path


def test_verb_of_a_plugin_is_a_verb_of_adc(config: Path) -> None:
    result = CliRunner().invoke(app, ["greet", "uses", str(config)])
    assert result.output.splitlines() == ["api DENY :4:78", "rest SAMEORIGIN :6:39"]


@pytest.mark.parametrize(
    ("url", "name"), [("/api/a", "api"), ("/bare/", "bare"), ("http://a.example/", "rest")]
)
def test_verb_asks_for_the_route_of_a_request(config: Path, url: str, name: str) -> None:
    assert CliRunner().invoke(app, ["greet", "route", str(config), url]).output.strip() == name


def test_without_a_path_the_running_service_names_the_configuration(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def get(_endpoint: object, path: str) -> dict[str, str]:
        asked.append(path)
        return {"config": str(config)}

    monkeypatch.setattr(admin_client, "get", get)
    assert len(Host().configuration(None).uses("security_headers")) == 2
    assert asked == ["/api/v1/status"]


def test_invalid_configuration_ends_the_verb_with_its_errors(config: Path) -> None:
    config.write_text(CONFIG.replace("DENY", "[]"))
    result = CliRunner().invoke(app, ["greet", "uses", str(config)])
    assert (result.exit_code, "frame_options" in result.output) == (2, True)


@pytest.mark.parametrize(
    ("verb", "problem"), [("absent", "cannot be loaded"), ("wrong", "which is no typer.Typer")]
)
def test_verb_that_cannot_be_loaded_is_an_error(verb: str, problem: str) -> None:
    result = CliRunner().invoke(app, [verb])
    assert (result.exit_code, problem in result.output) == (2, True)


def test_own_verbs_come_before_those_of_plugins() -> None:
    group = typer.main.get_command(app)
    names = group.list_commands(typer.Context(group))
    assert names.count("run") == 1
    assert names[-3:] == ["absent", "greet", "wrong"]
