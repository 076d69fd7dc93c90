"""From the id on an error page to an exclusion, and back to a request that passes."""

import json
import re

from adc_plugins.waf.tools.verbs import waf
from typer.testing import CliRunner

from adc.cli.plugin_verbs import Host
from tests.kit.client import get
from tests.wire.plugins.waf.protected import protecting

PYTHON = """
from adc_plugins.waf import rule

@rule(id=20001, message="debug switch", matches=["GET /?debug=1"])
def debug(exchange):
    return next((item for item in exchange.arguments if item.name == "debug"), None)
"""
CONFIG = """
listeners: [{{name: web, bind: 127.0.0.1:0}}]
routes:
  - {{name: all, pool: app, plugins: [waf: {{rules: [{rules}], audit_log: audit.log, exclusions: exclusions.conf}}]}}
pools: {{app: {{members: [127.0.0.1:9]}}}}
"""


def invoke(*arguments):
    return CliRunner().invoke(waf, [str(argument) for argument in arguments], obj=Host())


def id_on(reply):
    """The request id that an error page shows."""
    (found,) = re.findall(rb"(?:Request |request_id\": \")([0-9A-Za-z-]+)", reply.body)
    return found.decode()


async def excluded(folder, member, file, target):
    """The status of `target` before and after `adc waf exclude` with the id on its error page."""
    config = folder / "adc.yaml"
    config.write_text(CONFIG.format(rules=file))
    async with protecting(folder, member, files=[file], exclusions="exclusions.conf") as protected:
        before = await protected.ask(get(target))
        assert protected.audit()
    request_id = id_on(before)
    explained = invoke("why", request_id, "--config", config)
    assert explained.output.startswith(request_id)
    written = invoke("exclude", request_id, "--config", config)
    assert written.exit_code == 0, written.output
    assert invoke("test", folder / "exclusions.conf").exit_code == 0
    async with protecting(folder, member, files=[file], exclusions="exclusions.conf") as protected:
        return (
            before.status,
            (await protected.ask(get(target))).status,
            (await protected.ask(get("/b" + target))).status,
        )


async def test_request_passes_after_its_exclusion_and_other_paths_do_not(tmp_path, member):
    (tmp_path / "rules.conf").write_text('SecRule ARGS "@contains attack" "id:1,phase:2,deny,log"')
    assert await excluded(tmp_path, member, "rules.conf", "/?q=attack") == (403, 200, 403)


async def test_exclusion_holds_for_rules_in_python(tmp_path, member):
    (tmp_path / "rules.py").write_text(PYTHON)
    assert await excluded(tmp_path, member, "rules.py", "/?debug=1") == (403, 200, 403)


async def test_recorded_access_log_is_replayed(tmp_path, member):
    (tmp_path / "rules.py").write_text(PYTHON)
    config = tmp_path / "adc.yaml"
    config.write_text(CONFIG.format(rules="rules.py"))
    async with protecting(tmp_path, member, files=["rules.py"], mode="detect") as protected:
        for target in ("/?debug=1", "/?page=1", "/a?debug=2"):
            assert (await protected.ask(get(target))).status == 200
        lines = [json.dumps(record) for record in protected.proxy.access_log()]
    (tmp_path / "recorded.log").write_text("\n".join(lines))
    summary = json.loads(invoke("replay", tmp_path / "recorded.log", config, "--json").output)
    assert (summary["requests"], summary["blocked"]) == (3, 2)
    assert {(group["rule"], group["path"]) for group in summary["groups"]} == {(20001, "/"), (20001, "/a")}
