"""A firewall that cannot do its work: broken rules, rules that take too long, uploads larger than memory."""

import asyncio

import pytest
from adc_plugins.waf.engine.limits import EngineLimits
from adc_plugins.waf.engine.ruleset import RulesetOptions

from adc.runtime.errors import BuildError
from benchmarks.bulk import MIB, BulkMember, Memory, upload
from tests.kit.client import get
from tests.wire.plugins.waf.protected import protecting

UPLOAD = 100 * MIB
CONFIG = """
workers: 1
listeners: [{name: web, bind: "@web"}]
routes: [{pool: app, plugins: [waf: {rules: [core], request_body_limit_action: pass}]}]
pools: {app: {members: ["@member"]}}
admin: {bind: "@admin"}
access_log: {path: "off"}
"""


@pytest.mark.parametrize(
    "rule", ['SecRule ARGS "@rx (" "id:1,deny"', "SecRules", 'SecRule NOTHING "@rx a" "id:1"']
)
async def test_reload_with_a_broken_rule_names_its_line_and_keeps_the_old_ones(tmp_path, member, rule):
    async with protecting(tmp_path, member) as waf:
        (tmp_path / "rules.conf").write_text(f"# a comment\n{rule}\n")
        with pytest.raises(BuildError, match=r"rules\.conf:2: "):
            await waf.proxy.change(lambda mapping: None)
        waf.proxy.worker.rollback()
        assert (await waf.ask(get("/?q=attack"))).status == 403


async def test_rule_file_that_is_missing_is_an_error_of_its_option(tmp_path, member):
    with pytest.raises(BuildError, match=r"plugin waf: rules\.1: .*none\.conf: No such file"):
        async with protecting(tmp_path, member) as waf:
            await waf.proxy.change(
                lambda mapping: mapping["routes"][0]["plugins"][0]["waf"]["rules"].append("none.conf")
            )


@pytest.fixture
def no_time(monkeypatch):
    """Leave out rules from the first match on."""
    made = RulesetOptions.__init__

    def limited(self, *arguments, **named):
        made(self, *arguments, **{**named, "limits": EngineLimits(seconds=-1.0)})

    monkeypatch.setattr(RulesetOptions, "__init__", limited)


@pytest.mark.parametrize(("on_error", "status"), [("fail_closed", 500), ("fail_open", 200)])
async def test_rules_that_take_too_long_fail_as_told(tmp_path, member, no_time, on_error, status):
    async with protecting(tmp_path, member, on_error=on_error) as waf:
        assert (await waf.ask(get("/", "X-Noted: 1"))).status == status
        assert "took too long" in waf.proxy.error_log()
        assert (await waf.ask(get("/"))).status == 200


async def test_memory_of_an_upload_is_bounded_by_the_inspection_limit(service):
    member = BulkMember(UPLOAD)
    service.write(CONFIG, member=member.port)
    await service.started()
    (worker,) = (await service.status())["workers"]
    with Memory([worker["pid"]]) as memory:
        assert await asyncio.to_thread(upload, service.port, UPLOAD) == UPLOAD
    assert memory.highest - memory.before < 12 * MIB
