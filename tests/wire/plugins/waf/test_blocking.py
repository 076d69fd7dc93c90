"""The firewall in the way of an exchange: verdicts, body limits, content codings, logs."""

import gzip
import zlib

import brotli
import pytest
import zstandard

from tests.kit.client import chunked, get, post
from tests.kit.member import Member, answering, response
from tests.wire.plugins.waf.protected import protecting

FORM = "Content-Type: application/x-www-form-urlencoded"


async def test_ordinary_request_passes(tmp_path, member):
    async with protecting(tmp_path, member) as waf:
        reply = await waf.ask(post(b"q=hello", FORM, target="/search?a=1"))
        assert (reply.status, member.requests[0].body, waf.audit()) == (200, b"q=hello", [])


async def test_attack_is_denied_with_its_id_on_the_page_and_in_every_log(tmp_path, member):
    async with protecting(tmp_path, member) as waf:
        reply = await waf.ask(get("/?q=attack"))
        (record,) = waf.audit()
        accessed = waf.proxy.access_log()[0]
        assert (reply.status, member.requests) == (403, [])
        assert record["id"].encode() in reply.body
        assert (accessed["request_id"], accessed["end_reason"]) == (record["id"], "denied")
        assert f"request_id={record['id']}" in waf.proxy.error_log()
        assert "rules=1 " in waf.proxy.error_log()


async def test_audit_record_says_what_matched_where(tmp_path, member):
    async with protecting(tmp_path, member) as waf:
        await waf.ask(get("/a/../b?x=1&q=an+attack"))
        (record,) = waf.audit()
    (match,) = record.pop("matches")
    assert record["client"] == "127.0.0.1"
    assert (record["method"], record["path"], record["target"]) == ("GET", "/b", "/a/../b?x=1&q=an+attack")
    assert (record["route"], record["mode"], record["action"], record["status"]) == (
        "all",
        "block",
        "deny",
        403,
    )
    assert match.pop("line") == 8
    assert match.pop("file").endswith("rules.conf")
    assert match == {
        "rule": 1,
        "phase": 2,
        "msg": "An attack in ARGS:q",
        "data": "",
        "severity": "CRITICAL",
        "tags": ["attack-test"],
        "variable": "ARGS",
        "key": "q",
        "value": "an attack",
        "scores": {},
    }


async def test_sensitive_values_are_masked_in_the_audit_log(tmp_path, member):
    async with protecting(tmp_path, member) as waf:
        await waf.ask(get("/?password=my+attack", "Cookie: id=attack-7"))
        (record,) = waf.audit()
        log = waf.proxy.error_log()
    shown = repr(record)
    assert [match["rule"] for match in record["matches"]] == [10, 10, 1]
    assert "attack-7" not in shown
    assert "my" not in shown.replace("m\\y", "")
    assert "attack-7" not in log


@pytest.mark.parametrize(
    ("target", "status", "location"),
    [("/redirected", 302, b"https://www.example.com/"), ("/teapot", 418, None)],
)
async def test_actions_choose_the_response(tmp_path, member, target, status, location):
    async with protecting(tmp_path, member) as waf:
        reply = await waf.ask(get(target))
    assert (reply.status, member.requests) == (status, [])
    assert location is None or reply[b"location"] == location


async def test_drop_sends_no_response(tmp_path, member):
    async with protecting(tmp_path, member) as waf, waf.client() as client:
        await client.send(get("/dropped"))
        assert not await client.closed()
        assert waf.audit()[0]["action"] == "drop"


@pytest.mark.parametrize("content", [b"q=attack", b"q=%61ttack"])
@pytest.mark.parametrize("framed", [post, lambda body, *fields: chunked(body[:3], body[3:], fields=fields)])
async def test_attack_in_a_body_is_denied(tmp_path, member, content, framed):
    async with protecting(tmp_path, member) as waf:
        reply = await waf.ask(framed(content, FORM))
    assert (reply.status, member.requests) == (403, [])


CODED = {
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "gzip, br": lambda content: brotli.compress(gzip.compress(content, mtime=0)),
}


@pytest.mark.parametrize("coding", CODED)
async def test_coded_body_is_inspected_decoded_and_forwarded_as_sent(tmp_path, member, coding):
    coded = CODED[coding]
    async with protecting(tmp_path, member) as waf:
        field = f"Content-Encoding: {coding}"
        assert (await waf.ask(post(coded(b"q=attack"), FORM, field))).status == 403
        assert (await waf.ask(post(coded(b"q=hello"), FORM, field))).status == 200
    assert [request.body for request in member.requests] == [coded(b"q=hello")]


@pytest.mark.parametrize("coding", ["compress", "gzip", "x"])
async def test_body_in_an_unknown_or_broken_coding_is_refused(tmp_path, member, coding):
    async with protecting(tmp_path, member) as waf:
        reply = await waf.ask(post(b"q=attac", FORM, f"Content-Encoding: {coding}"))
        assert (reply.status, member.requests) == (415, [])
        assert "cannot be decoded" in waf.proxy.error_log()


async def test_body_that_decodes_to_more_than_the_limit_is_refused(tmp_path, member):
    async with protecting(tmp_path, member) as waf:
        reply = await waf.ask(post(gzip.compress(b"q=" + b"a" * 5000), FORM, "Content-Encoding: gzip"))
    assert (reply.status, member.requests) == (413, [])


async def test_body_over_the_limit_is_refused_where_the_rules_say_so(tmp_path, member):
    async with protecting(tmp_path, member) as waf:
        reply = await waf.ask(post(b"q=" + b"a" * 2000, FORM))
        assert (reply.status, member.requests) == (413, [])
        assert waf.proxy.access_log()[0]["end_reason"] == "limit_body"


async def test_rest_of_a_body_passes_where_the_options_say_so(tmp_path, member):
    body = b"q=" + b"a" * 2000 + b"&r=attack"
    async with protecting(tmp_path, member, request_body_limit_action="pass") as waf:
        assert (await waf.ask(post(body, FORM))).status == 200
        assert (await waf.ask(post(b"r=attack&" + body, FORM))).status == 403
    assert [request.body for request in member.requests] == [body]


async def test_response_head_is_withheld(tmp_path):
    async with (
        Member(answering(response(b"hello", "X-Secret: 1"))) as member,
        protecting(tmp_path, member) as waf,
    ):
        reply = await waf.ask(get())
    assert (reply.status, b"hello" in reply.body, b"x-secret" in reply) == (403, False, False)


@pytest.mark.parametrize("coding", [None, *CODED])
async def test_response_body_is_inspected_decoded(tmp_path, coding):
    page = b"SQL Error: ORA-00933: not properly ended"
    fields = ["Content-Type: text/html; charset=utf-8"]
    if coding is not None:
        page, fields = CODED[coding](page), [*fields, f"Content-Encoding: {coding}"]
    async with Member(answering(response(page, *fields))) as member, protecting(tmp_path, member) as waf:
        assert (await waf.ask(get())).status == 403


async def test_response_body_of_another_type_streams_uninspected(tmp_path):
    async with (
        Member(answering(response(b"ORA-00933", "Content-Type: image/png"))) as member,
        protecting(tmp_path, member) as waf,
    ):
        assert (await waf.ask(get())).body == b"ORA-00933"


async def test_response_over_the_limit_passes_after_its_beginning(tmp_path):
    page = b"a" * 5000 + b"ORA-00933"
    async with Member(answering(response(page, "Content-Type: text/html"))) as member:
        async with protecting(tmp_path, member) as waf:
            assert (await waf.ask(get())).body == page
        async with protecting(tmp_path, member, response_body_limit=10_000) as waf:
            assert (await waf.ask(get())).status == 403


async def test_rules_switch_the_engine_and_the_body_off(tmp_path, member):
    async with protecting(tmp_path, member) as waf:
        assert (await waf.ask(post(b"q=attack", FORM, target="/switched-off"))).status == 200
        assert (await waf.ask(post(b"q=attack", FORM, target="/no-body"))).status == 200
        assert (await waf.ask(get("/no-body?q=attack"))).status == 403


async def test_matches_are_counted_by_rule(tmp_path, member):
    async with protecting(tmp_path, member) as waf:
        await waf.ask(get("/?q=attack"))
        await waf.ask(get("/?q=attack", "X-Noted: 1"))
        counted = {
            sample.labels[2:]: sample.value
            for sample in waf.proxy.worker.samples()
            if sample.name == "adc_plugin_keyed_counter_total"
        }
    assert counted == {
        ("rule_matches", "1"): 2,
        ("rule_matches", "7"): 1,
        ("transactions", "deny"): 2,
    }


async def test_error_page_of_a_block_may_be_the_operators(tmp_path, member):
    (tmp_path / "blocked.html").write_text("blocked: {{ request_id }}")
    top = {"error_pages": {"403": "blocked.html"}}
    async with protecting(tmp_path, member, top=top) as waf:
        reply = await waf.ask(get("/?q=attack"))
        assert reply.body == f"blocked: {waf.audit()[0]['id']}".encode()


async def test_route_with_the_firewall_off_runs_no_phase(tmp_path, member):
    async with protecting(tmp_path, member, mode="off") as waf:
        assert (await waf.ask(get("/?q=attack"))).status == 200
        assert waf.proxy.worker.runtime.plugins.chains["all"].empty


async def test_routes_with_the_same_rules_share_them(tmp_path, member):
    async with protecting(tmp_path, member) as waf:
        await waf.proxy.change(
            lambda mapping: mapping["routes"].insert(
                0, {**mapping["routes"][0], "name": "b", "match": {"path": "/b"}}
            )
        )
        chains = waf.proxy.worker.runtime.plugins.chains
        first, second = (chains[name].uses[0].plugin for name in ("all", "b"))
        assert first._rules is second._rules


async def test_reload_brings_new_rules(tmp_path, member):
    async with protecting(tmp_path, member) as waf:
        assert (await waf.ask(get("/?q=harmless"))).status == 200
        (tmp_path / "rules.conf").write_text('SecRule ARGS "@contains harmless" "id:1,phase:1,deny,log"\n')
        await waf.proxy.change(lambda mapping: None)
        assert (await waf.ask(get("/?q=harmless"))).status == 403
        assert (await waf.ask(get("/?q=attack"))).status == 200


async def test_reload_reads_files_that_rules_name_again(tmp_path, member):
    (tmp_path / "words.data").write_text("attack\n")
    (tmp_path / "more.conf").write_text('SecRule ARGS "@contains included" "id:2,phase:2,deny"\n')
    rules = 'SecRule ARGS "@pmFromFile words.data" "id:1,phase:2,deny"\nInclude more.conf\n'
    async with protecting(tmp_path, member, rules=rules) as waf:
        assert (await waf.ask(get("/?q=novel"))).status == 200
        (tmp_path / "words.data").write_text("attack\nnovel\n")
        await waf.proxy.change(lambda mapping: None)
        assert (await waf.ask(get("/?q=novel"))).status == 403
        assert (await waf.ask(get("/?q=included"))).status == 403
        (tmp_path / "more.conf").write_text('SecAction "id:2,phase:2,pass,nolog"\n')
        await waf.proxy.change(lambda mapping: None)
        assert (await waf.ask(get("/?q=included"))).status == 200
