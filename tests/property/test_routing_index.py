"""The compiled index, the explanation and a plain reading of the rules always agree."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from adc.http.client import Client
from adc.http.headers import Headers
from adc.http.message import Request
from adc.routing import (
    Exact,
    Match,
    PathPrefix,
    Prefix,
    Present,
    Regex,
    Router,
    Rule,
    Wildcard,
    host_rule,
    path_exact,
    path_prefix,
)
from adc.routing.condition import name_condition, network_condition
from adc.routing.hosts import HostRule

LABELS = st.sampled_from(["a", "b", "example"])
HOSTS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
SEGMENTS = st.lists(st.sampled_from(["a", "b", "ab"]), max_size=4).map("/".join)
PATHS = st.one_of(
    st.builds(lambda inner, end: f"/{inner}{end}" if inner else "/", SEGMENTS, st.sampled_from(["", "/"])),
    st.just("*"),
)
WRITTEN_PATHS = PATHS.filter(lambda path: path != "*")
TEXTS = st.sampled_from(["", "a", "b", "ab"])
REGEXES = st.sampled_from(["^a", "b$", "a.*b", "^/a(/|$)", "example$"]).map(Regex)
HOST_RULES = st.one_of(HOSTS.map(host_rule), HOSTS.map(lambda host: host_rule(f"*.{host}")), REGEXES)
PATH_RULES = st.one_of(WRITTEN_PATHS.map(path_exact), WRITTEN_PATHS.map(path_prefix), REGEXES)
VALUE_RULES = st.one_of(TEXTS.map(Exact), TEXTS.map(Prefix), REGEXES, st.booleans().map(Present))
NAMED = st.dictionaries(
    st.sampled_from(["x", "y"]), st.lists(VALUE_RULES, min_size=1, max_size=2), max_size=1
)


class Wanted(NamedTuple):
    """A match, and what its further conditions were made of."""

    match: Match
    source: list[str]
    sni: list[HostRule]


def wanted(source: list[str], sni: list[HostRule], **keys: Any) -> Wanted:
    further = []
    if sni:
        further.append(name_condition("tls.sni", sni, lambda facts: facts.request.client.sni))
    if source:
        further.append(network_condition("source", source, lambda facts: facts.request.source))
    return Wanted(Match(further=further, **keys), source, sni)


MATCHES = st.builds(
    wanted,
    host=st.lists(HOST_RULES, max_size=2),
    path=st.lists(PATH_RULES, max_size=2),
    method=st.lists(st.sampled_from(["GET", "HEAD"]), max_size=1),
    headers=NAMED,
    query=NAMED,
    cookies=NAMED,
    source=st.lists(st.sampled_from(["10.0.0.0/8", "10.1.0.0/16", "fd00::/8"]), max_size=1),
    sni=st.lists(HOST_RULES, max_size=1),
)
BARE_MATCHES = st.builds(
    wanted,
    host=st.lists(HOST_RULES, max_size=2),
    path=st.lists(PATH_RULES, max_size=2),
    source=st.just([]),
    sni=st.just([]),
)
FIELDS = st.lists(st.tuples(st.sampled_from(["x", "y"]), TEXTS), max_size=3)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    path, host = draw(PATHS), draw(HOSTS)
    query = "&".join(f"{name}={value}" for name, value in draw(FIELDS))
    lines = [(name.encode(), value.encode()) for name, value in draw(FIELDS)]
    for name, value in draw(FIELDS):
        lines.append((b"Cookie", f"{name}={value}".encode()))
    client = draw(st.sampled_from(["10.0.0.1", "10.1.0.1", "192.0.2.1", "fd00::1", "::ffff:10.1.2.3", ""]))
    method = draw(st.sampled_from(["GET", "HEAD"]))
    return Request(
        method,
        path,
        path,
        query,
        host,
        host,
        Headers(lines),
        client=Client(client, sni=draw(st.just("") | HOSTS)),
    )


def naive_host(rule: object, host: str) -> bool:
    if isinstance(rule, Wildcard):
        return len(host.split(".")) > len(rule.domain.split(".")) and host.endswith("." + rule.domain)
    if isinstance(rule, Regex):
        return re.search(rule.text, host) is not None
    assert isinstance(rule, Exact)
    return rule.text == host


def naive_path(rule: object, path: str) -> bool:
    if isinstance(rule, Regex):
        return re.search(rule.text, path) is not None
    if isinstance(rule, PathPrefix):
        wanted, segments = rule.text.split("/"), path.split("/")
        if wanted[-1] == "":
            return segments[: len(wanted) - 1] == wanted[:-1] and len(segments) >= len(wanted)
        return segments[: len(wanted)] == wanted
    assert isinstance(rule, Exact)
    return rule.text == path


def naive_value(rule: object, values: list[str]) -> bool:
    if isinstance(rule, Present):
        return bool(values) is rule.wanted
    if isinstance(rule, Regex):
        return any(re.search(rule.text, value) for value in values)
    if isinstance(rule, Prefix):
        return any(value.startswith(rule.text) for value in values)
    assert isinstance(rule, Exact)
    return rule.text in values


def naive_source(network: str, client: str) -> bool:
    if not client:
        return False
    address = ip_address(client)
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address) in ip_network(network)


def naive_values(request: Request, key: str, name: str) -> list[str]:
    if key == "query":
        pairs = [field.partition("=") for field in request.query.split("&") if field]
        return [value for other, _, value in pairs if other == name]
    lines = [(line.decode(), value.decode()) for line, value in request.headers.pairs]
    if key == "headers":
        return [value for line, value in lines if line == name]
    crumbs = [value.partition("=") for line, value in lines if line == "Cookie"]
    return [value for other, _, value in crumbs if other == name][:1]


def naive_match(wanted: Wanted, request: Request) -> bool:
    match = wanted.match
    groups = [
        [naive_host(rule, request.host) for rule in match.host],
        [naive_path(rule, request.path) for rule in match.path],
        [method == request.method for method in match.method],
        [naive_source(network, request.source) for network in wanted.source],
        [naive_host(rule, request.client.sni) for rule in wanted.sni],
    ]
    for key, named in (("headers", match.headers), ("query", match.query), ("cookies", match.cookies)):
        for name, rules in named.items():
            groups.append([naive_value(rule, naive_values(request, key, name)) for rule in rules])
    return all(any(group) for group in groups if group)


def agree(matches: list[Wanted], request: Request) -> None:
    router = Router([Rule(each.match, number) for number, each in enumerate(matches)])
    expected = next((number for number, match in enumerate(matches) if naive_match(match, request)), None)
    steps = router.explain(request)
    told = steps[-1].rule if steps and steps[-1].ok else None
    assert (router.find(request), told) == (expected, expected)
    assert sorted({step.rule for step in steps}) == list(range(len(matches) if told is None else told + 1))


@settings(max_examples=200, deadline=None)
@given(st.lists(BARE_MATCHES, max_size=20), requests())
def test_index_by_host_and_path_equals_a_linear_scan(matches: list[Wanted], request: Request) -> None:
    agree(matches, request)


@settings(max_examples=200, deadline=None)
@given(st.lists(BARE_MATCHES | MATCHES, max_size=8), requests())
def test_rules_with_further_conditions_equal_a_linear_scan(matches: list[Wanted], request: Request) -> None:
    agree(matches, request)
