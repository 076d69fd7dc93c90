from __future__ import annotations

import json
from pathlib import Path

import pytest
from adc_plugins.waf.tools.verbs import waf
from typer.testing import CliRunner, Result

from adc.cli.plugin_verbs import Host
from tests.unit.plugins.waf.tools.records import line, match

CONFIG = """
listeners: [{name: web, bind: 127.0.0.1:0}]
routes:
  - {name: bare, match: {path: /bare/}, pool: app}
  - name: web
    pool: app
    plugins:
      - waf: {rules: [local.conf, local.py], audit_log: audit.log, exclusions: exclusions.conf}
pools: {app: {members: [127.0.0.1:9]}}
admin: false
"""
LOCAL = """
SecRule ARGS "@contains evil" \\
    "id:7,phase:2,pass,log,msg:'evil is not allowed',setvar:tx.score=+5"
SecRule TX:SCORE "@ge 5" "id:9,phase:2,deny,log"
"""
PYTHON = """
from adc_plugins.waf import rule

@rule(id=100001, message="debug", matches=["GET /?debug=1"], not_matches=["GET /?page=debug"])
def debug(exchange):
    return exchange.argument("debug")
"""
ACCESS = '192.0.2.7 - - [15/Jan/2027:08:00:00 +0000] "GET {} HTTP/1.1" 200 5 "-" "-"\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "local.conf").write_text(LOCAL)
    (tmp_path / "local.py").write_text(PYTHON)
    (tmp_path / "audit.log").write_text(line("r1", match(), match(rule=9, variable="TX", scores={})) + "\n")
    path = tmp_path / "adc.yaml"
    path.write_text(CONFIG)
    return path


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(waf, [str(argument) for argument in arguments], obj=Host())


def adc_check(config: Path) -> str:
    from adc.cli.app import app

    return CliRunner().invoke(app, ["check", str(config)]).output


class TestWhy:
    def test_rules_of_a_request_are_shown(self, config: Path) -> None:
        result = invoke("why", "r1", "--config", config)
        assert result.exit_code == 0
        assert "  on ARGS:q = 'evil'" in result.output.splitlines()

    def test_log_can_be_named(self, config: Path) -> None:
        result = invoke("why", "r1", "--log", config.parent / "audit.log", "--json")
        assert json.loads(result.output)["matches"][0]["rule"] == 7

    def test_terminal_gets_no_control_characters_of_a_request(self, config: Path) -> None:
        hostile = "\x1b[2J\x9b\u202e\n\udc80"
        found = match(msg=hostile, data=hostile, key=hostile, value=hostile)
        (config.parent / "audit.log").write_text(line("r1", found, target=hostile, host=hostile) + "\n")
        for arguments in ((), ("--json",)):
            result = invoke("why", "r1", "--config", config, *arguments)
            assert result.exit_code == 0
            assert all(each.isprintable() for each in result.output.splitlines())

    def test_record_of_another_shape_is_no_record(self, config: Path) -> None:
        for changes in ({"scores": []}, {"scores": {"inbound": "x"}}, {"matches": [match(scores=[1])]}):
            (config.parent / "audit.log").write_text(json.dumps(json.loads(line("r1")) | changes) + "\n")
            assert "no record of r1" in invoke("why", "r1", "--config", config).output

    def test_unknown_id_is_an_error(self, config: Path) -> None:
        result = invoke("why", "r2", "--config", config)
        assert result.exit_code == 1
        assert result.output == f"no record of r2 in {config.parent / 'audit.log'}\n"

    def test_missing_log_is_an_error(self, config: Path) -> None:
        (config.parent / "audit.log").unlink()
        assert "No such file" in invoke("why", "r1", "--config", config).output

    def test_configuration_without_audit_log_is_an_error(self, config: Path) -> None:
        config.write_text(CONFIG.replace("audit_log: audit.log, ", ""))
        result = invoke("why", "r1", "--config", config)
        assert (result.exit_code, "add audit_log: PATH" in result.output) == (2, True)


class TestExclude:
    def test_exclusion_and_test_are_written(self, config: Path) -> None:
        result = invoke("exclude", "r1", "--config", config)
        assert result.exit_code == 0, result.output
        file, tests = config.parent / "exclusions.conf", config.parent / "exclusions.tests.yaml"
        name = "rule 7 ignores ARGS:q of /search"
        first, second = result.output.splitlines()
        assert first.startswith(f"{file}: {name} until ")
        assert second == f"{tests}: 1 tests"
        checked = invoke("test", config)
        assert checked.exit_code == 0, checked.output
        assert f"ok     {name}" in checked.output.splitlines()
        assert invoke("test", tests).exit_code == 0

    def test_rule_still_matches_elsewhere(self, config: Path) -> None:
        invoke("exclude", "r1", "--config", config)
        log = config.parent / "access.log"
        log.write_text("".join(map(ACCESS.format, ("/search?q=evil", "/search?r=evil", "/?q=evil"))))
        result = json.loads(invoke("replay", log, config, "--json").output)
        assert [(group["path"], group["count"]) for group in result["groups"]] == [("/", 1), ("/search", 1)]

    def test_exclusion_is_written_once(self, config: Path) -> None:
        invoke("exclude", "r1", "--config", config)
        before = (config.parent / "exclusions.conf").read_text()
        result = invoke("exclude", "r1", "--config", config)
        assert result.output == "rule 7 ignores ARGS:q of this path already\n"
        assert (config.parent / "exclusions.conf").read_text() == before

    def test_test_that_cannot_match_is_pointed_out(self, config: Path) -> None:
        audit = config.parent / "audit.log"
        audit.write_text(
            line("r1", match(value="***")) + "\n" + line("r2", match(value="other", key="p")) + "\n"
        )
        assert "the log masks ARGS:q" in invoke("exclude", "r1", "--config", config).output
        assert "complete the request" in invoke("exclude", "r2", "--config", config).output

    def test_rule_that_did_not_match_is_an_error(self, config: Path) -> None:
        result = invoke("exclude", "r1", "--config", config, "--rule", 8)
        assert result.exit_code == 1
        assert result.output == "rule 8 did not match the request; these did: 7\n"

    def test_route_without_exclusions_is_an_error(self, config: Path) -> None:
        config.write_text(CONFIG.replace(", exclusions: exclusions.conf", ""))
        result = invoke("exclude", "r1", "--config", config)
        assert "add exclusions: waf-exclusions.conf" in result.output

    def test_dead_exclusion_is_a_warning_of_check(self, config: Path) -> None:
        invoke("exclude", "r1", "--config", config)
        assert "warning" not in adc_check(config)
        (config.parent / "local.conf").write_text(LOCAL.replace("id:7", "id:17"))
        assert "ctl:ruleRemoveTargetById names 7, and there is no such rule" in adc_check(config)

    def test_expired_exclusion_is_a_warning_of_check(self, config: Path) -> None:
        invoke("exclude", "r1", "--config", config)
        file = config.parent / "exclusions.conf"
        file.write_text(file.read_text().replace("expires/20", "expires/19"))
        assert "exclusion 445001 expired on 19" in adc_check(config)


class TestReplay:
    def test_matches_are_grouped(self, config: Path) -> None:
        log = config.parent / "access.log"
        log.write_text(
            "no request\n" + "".join(map(ACCESS.format, ("/a?q=evil", "/a?r=evil", "/bare/?q=evil")))
        )
        result = invoke("replay", log, config)
        assert result.output.splitlines() == [
            "3 requests, 1 outside of the firewall: 2 matched a rule, 2 would be blocked",
            "1 lines are no requests",
            "",
            "rule 7 on /a: 2 requests, 2 of them blocked",
            f"  evil is not allowed ({config.parent / 'local.conf'}:2)",
            "  ARGS:q = 'evil'",
        ]

    def test_missing_file_is_an_error(self, config: Path) -> None:
        assert invoke("replay", config.parent / "absent.log", config).exit_code == 1


class TestTest:
    def test_failed_example_fails(self, config: Path) -> None:
        (config.parent / "local.py").write_text(PYTHON.replace("page=debug", "debug=0"))
        result = invoke("test", config.parent / "local.py")
        assert result.exit_code == 1
        assert result.output.splitlines() == [
            "ok     rule 100001: GET /?debug=1",
            "FAILED rule 100001: GET /?debug=0",
            f"       {config.parent / 'local.py'}:4: must not match, and matches",
            "1 of 2 checks passed",
        ]

    def test_rule_without_example_fails(self, config: Path) -> None:
        (config.parent / "local.py").write_text(PYTHON.replace('"GET /?debug=1"', ""))
        assert "no example under `matches`" in invoke("test", config).output

    def test_raised_error_is_shown(self, config: Path) -> None:
        (config.parent / "local.py").write_text(PYTHON.replace('exchange.argument("debug")', "1 / 0"))
        result = json.loads(invoke("test", config, "--json").output)
        assert result["ok"] is False
        assert "ZeroDivisionError" in result["results"][0]["failures"][0]

    @pytest.mark.parametrize("name", ["absent.py", "absent.conf", "absent.tests.yaml"])
    def test_missing_file_is_an_error(self, config: Path, name: str) -> None:
        assert invoke("test", config.parent / name).exit_code == 2

    def test_rule_file_that_cannot_be_used_is_an_error(self, config: Path) -> None:
        (config.parent / "local.py").write_text("1/0")
        result = invoke("test", config.parent / "local.py")
        assert (result.exit_code, "local.py:1: ZeroDivisionError" in result.output) == (2, True)
