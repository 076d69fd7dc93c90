"""Active checks by HTTP of members that speak another protocol."""

import pytest

TEXT = """
listeners:
  - {{name: web, bind: 127.0.0.1:8080}}
  - {{name: other, bind: 127.0.0.1:9000, {listener}}}
routes: [{{pool: {route}}}]
pools:
  p: {{members: ["127.0.0.1:9001"], health: {{active: {active}}}}}
  web: {{members: ["127.0.0.1:9002"]}}
"""
DB = "protocol: tcp, pool: p"
DNS = "protocol: udp, pool: p"
MAIL = "protocol: smtp, smtp: {routes: [{pool: p}]}"


def checked(loaded, listener, active, route="web"):
    text = TEXT.format(listener=listener, active=active, route=route)
    found = [str(each) for each in loaded(text, listeners="").lint]
    return [each.partition("; write ")[2] for each in found if "checks send GET /" in each]


@pytest.mark.parametrize(
    ("listener", "active", "advice"),
    [
        (DB, "true", "tcp: true to only connect"),
        (DB, "{interval: 1s}", "tcp: true to only connect"),
        ("protocol: tcp, sni: {a.example: p}", "true", "tcp: true to only connect, or tls: true"),
        (DNS, "true", "udp: {send: ..., expect: ...}"),
        (MAIL, "{interval: 1s}", "smtp: true"),
    ],
)
def test_default_check_of_members_without_http_is_doubtful(loaded, listener, active, advice):
    assert checked(loaded, listener, active) == [advice]


@pytest.mark.parametrize(
    ("listener", "active", "route"),
    [
        (DB, "{tcp: true}", "web"),
        (DB, "{path: /health}", "web"),
        (DB, "{path: /, expect: {status: 204}}", "web"),
        (DB, "true", "p"),
        (MAIL, "{smtp: true}", "web"),
    ],
)
def test_check_made_for_the_members_is_not_mentioned(loaded, listener, active, route):
    assert checked(loaded, listener, active, route) == []
