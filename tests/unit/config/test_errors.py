from collections.abc import Callable

import pytest

Refused = Callable[..., list[str]]


ALL_WRONG = """\
workers: many
listners: []
listeners:
  - name: web
    bind: 127.0.0.1:99999
    timeouts: {request_head: 10, keep_alive: 3d}
  - {name: web, bind: '*:8081'}
routes:
  - match: {path: foo, cookies: {x: {regex: "("}}}
    pool: ap
  - redirect: {to: "/{hots}", status: 305}
  -
pools:
  app: {members: [127.0.0.1], persistence: {cookie: {}, source: {prefix4: 33}}}
  e: {balance: round_robbin, members: ["a:1", {addres: "b:1"}]}
"""


def test_every_error_is_told_at_once_with_its_place(refused: Refused) -> None:
    places = [line.split(": ")[:2] for line in refused(ALL_WRONG, listeners="")]
    assert places == [
        ["1:10", "workers"],
        ["2:1", "listners"],
        ["5:11", "listeners[0].bind"],
        ["6:30", "listeners[0].timeouts.request_head"],
        ["6:46", "listeners[0].timeouts.keep_alive"],
        ["7:12", "listeners[1].name"],
        ["9:19", "routes[0].match.path"],
        ["9:45", "routes[0].match.cookies.x.regex"],
        ["10:11", "routes[0].pool"],
        ["11:20", "routes[1].redirect.to"],
        ["11:39", "routes[1].redirect.status"],
        ["12:4", "routes[2]"],
        ["14:19", "pools.app.members[0]"],
        ["14:65", "pools.app.persistence.source"],
        ["14:75", "pools.app.persistence.source.prefix4"],
        ["15:16", "pools.e.balance"],
        ["15:47", "pools.e.members[1].address"],
        ["15:48", "pools.e.members[1].addres"],
    ]


DURATION = "write a number with a unit: ms, s, m, h or d, such as 500ms, 30s, 10m, 1h or 7d"
SIZE = "write a number with a unit: B, KB, MB, GB or TB, such as 64KB or 1GB"


EXPRESSIONS = r"""
routes:
  - match:
      host: {regex: "(?=a)"}
      path: {regex: "^/(?!admin)"}
      headers: {x-a: {regex: "a++"}}
      query: {q: {regex: "(.{0,500}x.{0,500}){2}"}}
    rewrite: {path: {regex: '(a)\1', replace: ""}}
    pool: app
pools:
  app: {members: ["a:1"], health: {active: {expect: {body_regex: '\x{100}'}}}}
"""


def test_every_expression_that_may_be_slow_is_refused_with_its_place(refused: Refused) -> None:
    lines = refused(EXPRESSIONS)
    assert [line.split(": ")[:2] for line in lines] == [
        ["4:21", "routes[0].match.host.regex"],
        ["5:21", "routes[0].match.path.regex"],
        ["6:30", "routes[0].match.headers.x-a.regex"],
        ["7:26", "routes[0].match.query.q.regex"],
        ["8:29", "routes[0].rewrite.path.regex"],
        ["11:66", "pools.app.health.active.expect.body_regex"],
    ]
    assert "lookahead ((?!) is not supported: expressions are matched in linear time" in lines[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "shutdown: {grase: 1s}",
            '1:12: shutdown.grase: unknown key "grase"; did you mean "grace"? Allowed: grace',
        ),
        ("shutdown: {zzz: 1s}", '1:12: shutdown.zzz: unknown key "zzz"; Allowed: grace'),
        ("shutdown: {grace: 30}", f"1:19: shutdown.grace: 30 is not a duration; {DURATION}"),
        ("shutdown: {grace: 2d}", '1:19: shutdown.grace: "2d" is out of range; allowed: 0s to 1d'),
        ("shutdown: 3", "1:11: shutdown: 3 is not a mapping (key: value). Allowed: grace"),
        ("shutdown:", "1:10: shutdown: is empty; give it a value or remove the key"),
        ("workers: 5000", "1:10: workers: 5000 is not auto (one per core) or a number from 0 to 1024"),
        (
            (
                "workers: 257\nnode: a\nstate: {backend: redis, url: 'redis://h/0'}\n"
                "cluster: {name: c, advertise: 10.0.0.1:79, secret: 0123456789abcdef, sync: {sessions: true}}"
            ),
            "1:10: workers: may be 256 at most with cluster.sync.sessions",
        ),
        ("node: 12", "1:7: node: 12 is not text here; put it in quotes to mean the text"),
        ("error_log: {level: x}", '1:20: error_log.level: "x" is not one of: debug, info, warning, error'),
        ("error_log: {format: xml}", '1:21: error_log.format: "xml" is not one of: text, json'),
        ("trusted_proxies: 10.0.0.1/8", '1:18: trusted_proxies: "10.0.0.1/8" has host bits set; write'),
        ("caches: {c: {memory: 64}}", f"1:22: caches.c.memory: 64 is not a size; {SIZE}"),
        ("pools: {p: {members: []}}", "1:22: pools.p.members: has too few items; at least 1 needed"),
        ("pools: {'a b': [m:1]}", '1:9: pools.a b: "a b" is not a name: letters, digits, _ - and .'),
        (
            "routes: [{pool: p, upgrades: h2c}]\npools: {p: [m:1]}",
            '1:30: routes[0].upgrades: "h2c" carries requests past the routes; allowed: protocols other than',
        ),
        (
            "routes: [{pool: p, upgrades: [a b]}]\npools: {p: [m:1]}",
            '1:31: routes[0].upgrades[0]: "a b" is not a protocol; write a name or name/version',
        ),
        ("folder: /x", '1:1: folder: unknown key "folder"'),
    ],
)
def test_messages_say_what_is_wrong_and_what_is_allowed(refused: Refused, text: str, message: str) -> None:
    (line,) = refused(text + "\n")
    assert line.startswith(message)


def test_no_listener_at_all_is_an_error(refused: Refused) -> None:
    assert refused("workers: 1\n", listeners="") == ["1:1: listeners: is required and missing"]
    assert refused("listeners: []\n", listeners="") == [
        "1:12: listeners: is empty; at least one listener is needed"
    ]


def test_expression_that_is_too_large_in_any_case_is_refused_with_its_place(
    loaded: Callable[..., object], refused: Refused
) -> None:
    rule = 'regex: "^/k{0,999}s{0,800}$"'
    loaded(f"routes: [{{match: {{path: {{{rule}}}}}, respond: 200}}]\n")
    (line,) = refused(f"routes: [{{match: {{path: {{ignore_case: true, {rule}}}}}, respond: 200}}]\n")
    assert "routes[0].match.path.regex" in line
    assert "the expression is too large" in line
