from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from adc.http import query as query_module
from adc.http.client import Client
from adc.http.headers import Headers
from adc.http.message import Request
from adc.routing import (
    Exact,
    ExplainStep,
    Match,
    Prefix,
    Present,
    Regex,
    Router,
    Rule,
    condition,
    host_rule,
    path_exact,
    path_prefix,
    path_rule,
)
from adc.routing.condition import Condition, name_condition, network_condition


def request(
    path: str = "/",
    *,
    host: str = "www.example.com",
    method: str = "GET",
    query: str = "",
    headers: Sequence[tuple[bytes, bytes]] = (),
    client: str = "192.0.2.1",
    sni: str = "",
) -> Request:
    return Request(
        method, path, path, query, host, host, Headers(headers), client=Client(sni=sni), source=client
    )


def first_of(*matches: Match) -> Router[int]:
    return Router([Rule(match, number) for number, match in enumerate(matches)])


def matches(match: Match, asked: Request) -> bool:
    return first_of(match).find(asked) is not None


def test_router_without_rules_finds_nothing() -> None:
    assert first_of().find(request()) is None
    assert first_of().explain(request()) == []


def test_first_match_in_order_wins_whatever_is_more_specific() -> None:
    router = first_of(
        Match(path=[path_rule("/a/")]),
        Match(host=[host_rule("www.example.com")], path=[path_rule("/a/b")]),
        Match(),
    )
    assert router.find(request("/a/b")) == 0
    assert router.find(request("/b")) == 2


def test_catch_all_first_hides_the_rest() -> None:
    assert first_of(Match(), Match(path=[path_rule("/a")])).find(request("/a")) == 0


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("example.com", 0),
        ("a.example.com", 1),
        ("a.b.example.com", 1),
        ("www.b.example.com", 1),
        ("x.b.example.org", 2),
        ("b.example.org", 3),
        ("notexample.com", 3),
        ("com", 3),
        ("[::1]", 3),
    ],
)
def test_wildcard_takes_any_depth_below_its_domain_but_not_the_domain(host: str, found: int) -> None:
    router = first_of(
        Match(host=[host_rule("Example.com")]),
        Match(host=[host_rule("*.example.com")]),
        Match(host=[host_rule("*.b.example.org")]),
        Match(),
    )
    assert router.find(request(host=host)) == found


def test_shorter_wildcard_before_a_longer_one_and_an_exact_host_wins_by_order() -> None:
    router = first_of(
        Match(host=[host_rule("*.example.com")], method=["PUT"]),
        Match(host=[host_rule("*.a.example.com")], method=["PUT", "POST"]),
        Match(host=[host_rule("x.a.example.com")]),
    )
    host = "x.a.example.com"
    assert router.find(request(host=host, method="PUT")) == 0
    assert router.find(request(host=host, method="POST")) == 1
    assert router.find(request(host=host)) == 2


def test_host_pattern_by_regular_expression_keeps_its_place_in_order() -> None:
    router = first_of(Match(host=[Regex(r"^api\d\.")]), Match(host=[host_rule("api1.example.com")]), Match())
    assert router.find(request(host="api1.example.com")) == 0
    assert router.find(request(host="api.example.com")) == 2


@pytest.mark.parametrize(
    ("rule", "taken", "left"),
    [
        (path_rule("/app/"), ["/app/", "/app/x/y"], ["/app", "/apple", "/", "/x/app/"]),
        (path_rule("/app"), ["/app"], ["/app/", "/apple", "/app/x"]),
        (path_prefix("/app"), ["/app", "/app/", "/app/x"], ["/apple", "/ap"]),
        (path_rule("/"), ["/", "/a/b"], ["*"]),
        (path_prefix("/a/b/"), ["/a/b/", "/a/b/c"], ["/a/", "/a/b", "/a/c/b/"]),
        (path_exact("/app/"), ["/app/"], ["/app/x", "/app"]),
        (path_rule("/%61b|/"), ["/ab%7C/x"], ["/ab"]),
        (path_rule("/한/"), ["/%ED%95%9C/"], ["/"]),
        (Regex("^/api/v[0-9]+/"), ["/api/v1/", "/api/v22/x"], ["/api/v/", "/x/api/v1/"]),
    ],
)
def test_path_rule(rule: Exact, taken: list[str], left: list[str]) -> None:
    match = Match(path=[rule])
    assert [path for path in taken if not matches(match, request(path))] == []
    assert [path for path in left if matches(match, request(path))] == []


def test_deeper_prefix_after_a_shorter_one_is_still_found_when_the_shorter_has_conditions() -> None:
    router = first_of(
        Match(path=[path_rule("/a/")], method=["PUT"]), Match(path=[path_rule("/a/b/")]), Match()
    )
    assert router.find(request("/a/b/c", method="PUT")) == 0
    assert router.find(request("/a/b/c")) == 1
    assert router.find(request("/a/c")) == 2


def test_head_is_not_get() -> None:
    match = Match(method=["GET"])
    assert matches(match, request())
    assert not matches(match, request(method="HEAD"))
    assert not matches(match, request(method="get"))


@pytest.mark.parametrize(
    ("rules", "lines", "held"),
    [
        ([Exact("1")], [b"1"], True),
        ([Exact("1")], [b"2"], False),
        ([Exact("1")], [], False),
        ([Exact("1")], [b"2", b"1"], True),
        ([Exact("1")], [b"1", b"2"], True),
        ([Exact("1"), Exact("2")], [b"2"], True),
        ([Prefix("ab")], [b"abc"], True),
        ([Prefix("ab")], [b"xab"], False),
        ([Regex("^b")], [b"ab"], False),
        ([Regex("b")], [b"ab"], True),
        ([Present()], [b""], True),
        ([Present()], [], False),
        ([Present(False)], [], True),
        ([Present(False)], [b""], False),
        ([Present(False), Exact("1")], [b"1"], True),
    ],
)
def test_header_values(rules: list[Exact], lines: list[bytes], held: bool) -> None:
    asked = request(headers=[(b"X-Beta", line) for line in lines])
    assert matches(Match(headers={"x-Beta": rules}), asked) is held


def test_query_field_and_cookie_decide() -> None:
    assert matches(Match(query={"version": [Exact("2 b")]}), request(query="a=1&version=2+b"))
    assert not matches(Match(query={"version": [Exact("2")]}), request(query="version=1"))
    plan = Match(cookies={"plan": [Regex("^(pro|team)$")]})
    assert matches(plan, request(headers=[(b"Cookie", b"a=1; plan=team")]))
    assert not matches(plan, request(headers=[(b"Cookie", b"plan=free")]))
    assert matches(Match(cookies={"plan": [Present(False)]}), request())


def source(*networks: str) -> Condition:
    return network_condition("source", networks, lambda facts: facts.request.source)


def test_source_is_the_derived_client_in_either_family() -> None:
    match = Match(further=[source("10.0.0.0/8", "fd00::/8")])
    assert matches(match, request(client="10.1.2.3"))
    assert matches(match, request(client="::ffff:10.1.2.3"))
    assert matches(match, request(client="fd12::1"))
    assert not matches(match, request(client="11.0.0.1"))
    assert not matches(match, request(client=""))


def test_tls_server_name_decides() -> None:
    server_name = name_condition(
        "tls.sni", [host_rule("*.example.com")], lambda facts: facts.request.client.sni
    )
    match = Match(further=[server_name])
    assert matches(match, request(sni="a.example.com"))
    assert not matches(match, request(sni="example.com"))
    assert not matches(match, request())


def test_several_keys_must_all_hold() -> None:
    match = Match(path=[path_rule("/a/")], method=["PUT"], query={"v": [Exact("1")]})
    assert matches(match, request("/a/", method="PUT", query="v=1"))
    assert not matches(match, request("/a/", method="PUT", query="v=2"))
    assert not matches(match, request("/a/", query="v=1"))
    assert not matches(match, request("/b", method="PUT", query="v=1"))


def test_query_is_parsed_once_and_only_when_a_candidate_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def counting(query: str) -> dict[str, list[str]]:
        parsed.append(query)
        return query_module.parse_query(query)

    monkeypatch.setattr(condition, "parse_query", counting)
    router = first_of(
        Match(path=[path_rule("/q/")], query={"a": [Exact("1")]}),
        Match(path=[path_rule("/q/")], query={"b": [Exact("1")]}),
        Match(),
    )
    assert router.find(request("/x", query="b=1")) == 2
    assert parsed == []
    assert router.find(request("/q/", query="b=1")) == 1
    assert parsed == ["b=1"]


def test_explain_names_the_failing_key_of_each_rule_and_every_key_of_the_match() -> None:
    router = first_of(
        Match(path=[path_rule("/b/")], where="f.yaml:3"),
        Match(
            path=[path_rule("/a/")],
            headers={"x-beta": [Exact("1")]},
            where="f.yaml:5",
            places={"headers.x-beta": "f.yaml:7"},
        ),
        Match(path=[path_rule("/a/")], method=["GET", "HEAD"], where="f.yaml:9"),
        Match(where="f.yaml:11"),
    )
    asked = request("/a/x", headers=[(b"x-beta", b"0")])
    assert router.explain(asked) == [
        ExplainStep(0, "path", "/b/*", "/a/x", False, "f.yaml:3"),
        ExplainStep(1, "headers.x-beta", "1", "0", False, "f.yaml:7"),
        ExplainStep(2, "path", "/a/*", "/a/x", True, "f.yaml:9"),
        ExplainStep(2, "method", "GET | HEAD", "GET", True, "f.yaml:9"),
    ]


def test_explain_of_a_rule_that_asks_nothing() -> None:
    assert first_of(Match(where="f:1")).explain(request()) == [ExplainStep(0, "", "", "", True, "f:1")]


@pytest.mark.parametrize("text", ["*", "example.com:80", "a b", "", "*.", "a.*.com", "*.*.com"])
def test_bad_host_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="host"):
        host_rule(text)


def test_host_pattern_may_be_unicode() -> None:
    match = Match(host=[host_rule("*.bücher.example")])
    assert matches(match, request(host="www.xn--bcher-kva.example"))


@pytest.mark.parametrize("text", ["app", "/a?b", "/%zz", "/../a", "*", ""])
def test_bad_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        path_rule(text)


def test_bad_regular_expression_is_refused_when_the_rule_is_made() -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        Regex("(")


def test_bad_network_is_refused_when_the_condition_is_made() -> None:
    with pytest.raises(ValueError, match="host bits"):
        first_of(Match(further=[source("10.0.0.1/8")]))


def calls_of(router: Router[tuple[int, int]], asked: Request) -> int:
    calls = 0

    def count(*event: object) -> None:
        nonlocal calls
        calls += event[1] in ("call", "c_call")

    sys.setprofile(count)
    try:
        router.find(asked)
    finally:
        sys.setprofile(None)
    return calls


def grid(hosts: int, paths: int) -> Router[tuple[int, int]]:
    rules = []
    for host in range(hosts):
        for path in range(paths):
            match = Match(host=[host_rule(f"h{host}.example.com")], path=[path_rule(f"/p{path}/")])
            rules.append(Rule(match, (host, path)))
    return Router(rules)


def test_ten_thousand_routes_take_as_many_calls_as_ten() -> None:
    many, few = grid(100, 100), grid(2, 5)
    assert many.find(request("/p42/x", host="h77.example.com")) == (77, 42)
    assert many.find(request("/p42/x", host="h100.example.com")) is None
    assert calls_of(many, request("/p42/x", host="h77.example.com")) == calls_of(
        few, request("/p4/x", host="h1.example.com")
    )
