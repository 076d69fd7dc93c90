"""The example configuration, and the firewall of the contract."""

import yaml

from adc.config.loading import load
from tests.kit.client import get, post
from tests.kit.proxy import config, serving
from tests.wire.contract import contract
from tests.wire.plugins.waf.protected import protecting
from tests.wire.service import ROOT

ATTACK = "/?id=1%27%20union%20select%20password%20from%20users--"
FORM = "Content-Type: application/x-www-form-urlencoded"
CONTRACT = {"rules": ["core"], "mode": "block", "paranoia": 1, "anomaly_threshold": 5}


def example(member, folder):
    """Return config/waf.yaml as a mapping, for a member and log of a test."""
    text = (ROOT / "config" / "waf.yaml").read_text()
    mapping = yaml.safe_load(text.replace("${ADC_WAF_LOG:-waf-audit.log}", str(folder / "audit.log")))
    mapping["pools"] = {"app": {"members": [member.address]}}
    return {**config(), **mapping, "listeners": [{"name": "web", "bind": "127.0.0.1:0"}]}


async def asked(proxy, data):
    async with proxy.client() as client:
        return (await client.ask(data)).status


async def test_example_blocks_detects_and_lets_uploads_pass(tmp_path, member):
    assert load(ROOT / "config" / "waf.yaml").lint == ()
    async with serving(tmp_path, example(member, tmp_path)) as proxy:
        assert await asked(proxy, get(ATTACK)) == 403
        assert await asked(proxy, get("/trial" + ATTACK)) == 200
        assert await asked(proxy, get("/?q=hello+world")) == 200
        upload = b"x" * 200_000
        assert await asked(proxy, post(upload, "Content-Type: image/png", target="/uploads/a.png")) == 200
        assert member.requests[-1].body == upload
        proxy.worker.log_files.flush()
        assert len((tmp_path / "audit.log").read_text().splitlines()) == 2


def test_contract_is_the_one_tested():
    routes = yaml.safe_load(contract("06-plugins"))["routes"]
    assert [each["waf"] for each in routes[-1]["plugins"] if "waf" in each] == [CONTRACT]


async def test_firewall_of_the_contract_blocks_attacks_and_nothing_else(tmp_path, member):
    options = {**CONTRACT}
    async with protecting(tmp_path, member, files=options.pop("rules"), **options) as waf:
        assert (await waf.ask(get(ATTACK))).status == 403
        assert (await waf.ask(post(b"comment=<script>alert(1)</script>", FORM))).status == 403
        assert (await waf.ask(get("/../../etc/passwd"))).status in (400, 403)
        assert (await waf.ask(post("comment=안녕하세요, it's 5 > 3".encode(), FORM))).status == 200
        assert (await waf.ask(get("/search?q=union+station+select+committee"))).status == 200


async def test_threshold_and_paranoia_decide_what_blocks(tmp_path, member):
    async with protecting(tmp_path / "lax", member, files=["core"], anomaly_threshold=1000) as waf:
        assert (await waf.ask(get(ATTACK))).status == 200
        scores = waf.audit()[0]["scores"]
        assert (scores["inbound_threshold"], scores["inbound"] >= 5) == (1000, True)
    rule = "SecAction \"id:1,phase:1,pass,log,msg:'%{tx.blocking_paranoia_level} %{tx.detection_paranoia_level}'\""
    async with protecting(tmp_path / "strict", member, rules=rule, paranoia=2, detection_paranoia=3) as waf:
        await waf.ask(get())
        assert waf.audit()[0]["matches"][0]["msg"] == "2 3"


async def test_content_over_the_inspection_limit_passes_the_bundled_rules(tmp_path, member):
    parts = (
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.jpg"\r\n\r\n'
        + bytes(range(256)) * 2000
    )
    upload = post(parts + b"\r\n--b--\r\n", "Content-Type: multipart/form-data; boundary=b")
    document = post(b'{"text": "' + b"x" * 200_000 + b'"}', "Content-Type: application/json")
    async with protecting(tmp_path, member, files=["core"]) as waf:
        assert [(await waf.ask(data)).status for data in (upload, document)] == [200, 200]
    async with protecting(tmp_path, member, files=["core"], request_body_limit_action="reject") as waf:
        assert [(await waf.ask(data)).status for data in (upload, document)] == [413, 413]
