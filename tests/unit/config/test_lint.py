from collections.abc import Callable

import pytest

from adc.config import ConfigErrors, Loaded, lint

Load = Callable[..., Loaded]
POOLS = "pools: {p: [m:1]}\n"


def unreachable(loaded: Load, *matches: str) -> list[str]:
    """Names of the routes that the lint calls unreachable, for routes with these matches."""
    routes = "".join(f"- {{name: r{place}, pool: p, {text}}}\n" for place, text in enumerate(matches))
    found = loaded(f"routes:\n{routes}{POOLS}").lint
    return [problem.message.split('"')[1] for problem in found if "never match" in problem.message]


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("match: {}", "match: {path: /a}"),
        ("match: {path: /}", "match: {path: /a/, method: GET}"),
        ("match: {path: /a/}", "match: {path: /a/}"),
        ("match: {path: /a/}", "match: {path: /a/b/}"),
        ("match: {path: {prefix: /a}}", "match: {path: [/a, /a/b]}"),
        ("match: {path: /%61/}", "match: {path: /a/b}"),
        ("match: {path: {regex: '^/a'}}", "match: {path: /abc}"),
        ("match: {path: [/a/, /b/]}", "match: {path: /b/c}"),
        ("match: {host: '*.x.org'}", "match: {host: [a.x.org, '*.b.x.org']}"),
        ("match: {host: a.org, path: /a/}", "match: {host: a.org, path: /a/b, method: GET}"),
        ("match: {host: {regex: org$}}", "match: {host: x.org}"),
        ("match: {method: [GET, HEAD]}", "match: {method: HEAD}"),
        ("match: {headers: {X-A: {present: true}}}", "match: {headers: {x-a: '1'}}"),
        ("match: {query: {v: {prefix: a}}}", "match: {query: {v: abc, w: '1'}}"),
        ("match: {cookies: {c: {regex: '^a'}}}", "match: {cookies: {c: abc}}"),
        ("match: {source: 10.0.0.0/8}", "match: {source: [10.1.0.0/16, 10.2.0.1]}"),
        ("match: {tls: {sni: '*.x.org'}}", "match: {tls: {sni: a.x.org}}"),
        ("listeners: [web]", "listeners: [web]"),
    ],
)
def test_a_route_behind_one_that_takes_all_it_would_never_matches(
    loaded: Load, wide: str, narrow: str
) -> None:
    assert unreachable(loaded, wide, narrow) == ["r1"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("match: {path: /a/}", "match: {}"),
        ("match: {path: /a/}", "match: {path: /a}"),
        ("match: {path: /a/}", "match: {path: /ab/}"),
        ("match: {path: /a/, method: GET}", "match: {path: /a/}"),
        ("match: {path: /a/}", "match: {path: [/a/b, /c]}"),
        ("match: {path: /a/}", "match: {path: /a/../b}"),
        ("match: {host: '*.x.org'}", "match: {host: x.org}"),
        ("match: {host: a.org}", "match: {host: b.org}"),
        ("match: {headers: {a: '1'}}", "match: {headers: {b: '1'}}"),
        ("match: {headers: {a: {present: false}}}", "match: {headers: {a: '1'}}"),
        ("match: {source: 10.1.0.0/16}", "match: {source: 10.0.0.0/8}"),
        ("match: {source: 10.0.0.0/8}", "match: {source: 'fd00::/8'}"),
        ("listeners: [web]", "match: {}"),
    ],
)
def test_a_route_that_some_request_reaches_is_not_called_unreachable(
    loaded: Load, first: str, second: str
) -> None:
    assert unreachable(loaded, first, second) == []


def test_the_route_in_the_way_is_named_with_the_place_of_the_other(loaded: Load) -> None:
    (problem,) = loaded(f"routes:\n- {{name: all, pool: p}}\n- {{pool: p}}\n{POOLS}").lint
    assert (problem.mark.line, problem.mark.column, problem.path) == (3, 3, ("routes", 1))
    assert 'route "all" (routes[0]) comes before it' in problem.message


def test_a_pool_that_nobody_uses_is_told(loaded: Load) -> None:
    routes = "routes: [{match: {path: /a}, split: {a: 1, b: 1}, mirror: c}, {pool: d}]\n"
    text = routes + "pools: {a: [m:1], b: [m:2], c: [m:3], d: [m:4], e: [m:5]}\n"
    assert [str(problem.path[1]) for problem in loaded(text).lint if problem.path[0] == "pools"] == ["e"]


def test_a_member_listed_twice_is_told(loaded: Load) -> None:
    text = "routes: [{pool: p}]\npools: {p: [m:1, m:2, {address: 'm:1', weight: 2}]}\n"
    (problem,) = loaded(text).lint
    assert problem.path == ("pools", "p", "members", 2)
    assert "listed twice; the first is pools.p.members[0]" in problem.message


def test_thousands_of_routes_are_not_all_compared_with_each_other(
    loaded: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[object] = []

    def covers(wide: object, narrow: object) -> bool:
        compared.append(wide)
        return False

    monkeypatch.setattr(lint, "covers", covers)
    routes = "".join(
        f"- {{pool: p, match: {{host: h{n % 50}.org, path: /s{n // 50}/}}}}\n" for n in range(1000)
    )
    assert loaded(f"routes:\n{routes}- {{pool: p}}\n{POOLS}").lint == ()
    assert len(compared) < 1000


def sharing(loaded: Load, cookies: tuple[str, str], hosts: tuple[str, str]) -> list[str]:
    """Places of the cookies that the lint says an earlier pool of the same host uses."""
    one, two = cookies
    routes = "".join(f"- {{pool: {pool}, match: {host}}}\n" for pool, host in zip("pq", hosts, strict=True))
    pools = f"pools:\n  p: {{members: m:1, persistence: {one}}}\n  q: {{members: m:1, persistence: {two}}}\n"
    found = loaded(f"routes:\n{routes}{pools}").lint
    return [str(problem).split(": ")[1] for problem in found if "replaces the other one" in problem.message]


NAMED = "{cookie: {name: S}}"
ON_PATHS = ("{path: /a/}", "{path: /b/}")


@pytest.mark.parametrize(
    ("cookies", "hosts"),
    [
        ((NAMED, NAMED), ON_PATHS),
        ((NAMED, NAMED), ("{host: a.org, path: /a/}", "{host: A.org}")),
        ((NAMED, NAMED), ("{host: '*.a.org'}", "{host: x.a.org}")),
        ((NAMED, NAMED), ("{host: x.a.org}", "{host: '*.a.org'}")),
        ((NAMED, NAMED), ("{host: x.a.org}", "{path: /b/}")),
        ((NAMED, "{cookie: {name: S, mode: prefix}}"), ON_PATHS),
    ],
)
def test_one_cookie_name_of_two_pools_on_one_host_is_reported(
    loaded: Load, cookies: tuple[str, str], hosts: tuple[str, str]
) -> None:
    assert sharing(loaded, cookies, hosts) == ["pools.q.persistence.cookie.name"]


@pytest.mark.parametrize(
    ("cookies", "hosts"),
    [
        ((NAMED, "{cookie: {name: T}}"), ON_PATHS),
        (("cookie", "cookie"), ON_PATHS),
        ((NAMED, NAMED), ("{host: a.org}", "{host: b.org}")),
        (("{cookie: {name: S, path: /a}}", "{cookie: {name: S, path: /b}}"), ON_PATHS),
        (("{learned: {cookie: S}}", "{learned: {cookie: S}}"), ON_PATHS),
    ],
)
def test_cookies_that_do_not_meet_are_not_reported(
    loaded: Load, cookies: tuple[str, str], hosts: tuple[str, str]
) -> None:
    assert sharing(loaded, cookies, hosts) == []


def test_mode_that_changes_a_cookie_of_the_application_needs_its_name(loaded: Load) -> None:
    with pytest.raises(ConfigErrors, match=r"persistence\.cookie\.mode: mode: prefix needs name"):
        loaded("pools: {p: {members: m:1, persistence: {cookie: {mode: prefix}}}}\nroutes: []\n")


def oversized(loaded: Load, text: str) -> list[str]:
    """What the lint says of tables that do not fit."""
    found = loaded(f"routes: [{{pool: p}}]\n{text}").lint
    return [str(problem).partition("adc.yaml:")[2] for problem in found if "state.size" in problem.message]


def test_tables_larger_than_the_state_file_are_reported_with_the_size_that_is_needed(loaded: Load) -> None:
    pools = "pools:\n  p:\n    members: m:1\n    persistence: {source: {size: 1000000}}\n"
    (line,) = oversized(loaded, pools + "state:\n  size: 64MB\n")
    assert line.startswith("7:9: state.size: ")
    assert "1000000 entries" in line
    assert "write state.size: 191MB" in line
    assert oversized(loaded, pools + "state:\n  size: 191MB\n") == []
    assert oversized(loaded, pools + "state: memory\n") == []
    (line,) = oversized(loaded, pools.replace("1000000", "5000000"))
    assert line.startswith("5:34: pools.p.persistence.source.size: ")


def test_cookies_of_ours_take_no_space_of_the_state_file(loaded: Load) -> None:
    assert oversized(loaded, "pools: {p: {members: m:1, persistence: cookie}}\nstate: {size: 1MB}\n") == []


def test_a_method_in_lower_case_is_doubted(loaded: Load) -> None:
    text = f"routes: [{{pool: p, match: {{method: [get, LIST, BITS_POST, list]}}}}]\n{POOLS}"
    assert [problem.message for problem in loaded(text).lint] == [
        '"get" is not GET: methods are compared with their case'
    ]


@pytest.mark.parametrize("method", ["A B", "A/B", "\u00c9", "M" * 65])
def test_a_method_is_a_token(loaded: Load, method: str) -> None:
    with pytest.raises(ConfigErrors, match="at most 64"):
        loaded(f"routes: [{{pool: p, match: {{method: '{method}'}}}}]\n{POOLS}")


@pytest.mark.parametrize(
    ("listener", "warned"),
    [
        ("{bind: ':1', protocol: tcp, pool: p}", True),
        ("{bind: ':1', protocol: tcp, pool: p}, {bind: ':2'}", False),
    ],
)
def test_routes_without_an_http_listener_are_warned_of(loaded: Load, listener: str, warned: bool) -> None:
    found = loaded(f"listeners: [{listener}]\nroutes: [{{pool: p}}]\n{POOLS}", listeners="").lint
    assert any("no listener has protocol: http" in problem.message for problem in found) is warned
