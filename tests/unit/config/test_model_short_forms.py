"""Whatever way a file says it, the model has one shape."""

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest

from adc.config import Loaded
from adc.config.model.balance import ConsistentHash, PlainBalance
from adc.config.model.pools import Pool
from adc.config.model.routes import Route

Load = Callable[..., Loaded]


def route(**keys: Any) -> Route:
    return Route.model_validate({"pool": "p"} | keys)


def pool(**keys: Any) -> Pool:
    return Pool.model_validate({"members": ["m:1"]} | keys)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ({"path": "/a"}, {"path": [{"exact": "/a"}]}),
        ({"path": "/a/"}, {"path": [{"prefix": "/a/"}]}),
        ({"path": {"regex": "^/a"}}, {"path": [{"regex": "^/a"}]}),
        ({"host": "WWW.example.com"}, {"host": [{"exact": "www.example.com"}]}),
        ({"host": ["*.example.com"]}, {"host": [{"wildcard": "*.example.com"}]}),
        ({"method": "GET"}, {"method": ["GET"]}),
        ({"headers": {"X-Beta": "1"}}, {"headers": {"x-beta": [{"exact": "1"}]}}),
        ({"cookies": {"a": ["x", "y"]}}, {"cookies": {"a": [{"exact": "x"}, {"exact": "y"}]}}),
        ({"source": "10.0.0.1"}, {"source": ["10.0.0.1/32"]}),
        ({"tls.sni": "a.example"}, {"tls": {"sni": [{"exact": "a.example"}]}}),
    ],
)
def test_match(short: dict[str, Any], full: dict[str, Any]) -> None:
    assert route(match=short) == route(match=full)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ({"cache": True}, {"cache": {"store": "default"}}),
        ({"cache": "site"}, {"cache": {"store": "site"}}),
        ({"cache": False}, {}),
        ({"compression": True}, {"compression": {}}),
        ({"compression": ["gzip"]}, {"compression": {"encodings": ["gzip"]}}),
        ({"compression": False}, {}),
        ({"retries": 3}, {"retries": {"attempts": 3}}),
        ({"retries": False}, {"retries": {"attempts": 0}}),
        ({"retries": {"on": 503}}, {"retries": {"on": ["503"]}}),
        ({"retries": {"hedge": "1s"}}, {"retries": {"hedge": {"after": "1s"}}}),
        ({"mirror": "q"}, {"mirror": {"pool": "q", "percent": "100%"}}),
        ({"plugins": ["waf"]}, {"plugins": [{"waf": {}}]}),
        ({"listeners": "web"}, {"listeners": ["web"]}),
        ({"response_headers": {"remove": "server"}}, {"response_headers": {"remove": ["server"]}}),
        (
            {"response_headers": {"replace": {"x": {"regex": "a", "replace": "b"}}}},
            {"response_headers": {"replace": {"x": [{"regex": "a", "replace": "b"}]}}},
        ),
    ],
)
def test_policies(short: dict[str, Any], full: dict[str, Any]) -> None:
    assert route(**short) == route(**full)


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ({"members": "m:1"}, {"members": [{"address": "m:1"}]}),
        ({"balance": "weighted"}, {"balance": "round_robin"}),
        ({"balance": {"random": {}}}, {"balance": "random"}),
        ({"persistence": "source"}, {"persistence": {"source": {}}}),
        ({"persistence": {"cookie": True}}, {"persistence": {"cookie": {}}}),
        ({"persistence": {"cookie": {"secure": True}}}, {"persistence": {"cookie": {"secure": "true"}}}),
        ({"persistence": {"tls": "sni"}}, {"persistence": {"tls": {"by": "sni"}}}),
        ({"health": {"active": True}}, {"health": {"active": {"path": "/"}}}),
        ({"health": {"active": "/up"}}, {"health": {"active": {"path": "/up"}}}),
        ({"health": {"active": {"expect": 204}}}, {"health": {"active": {"expect": {"status": "204-204"}}}}),
        (
            {"health": {"active": {"expect": "2xx"}}},
            {"health": {"active": {"expect": {"status": "200-299"}}}},
        ),
        ({"adaptive": True}, {"adaptive": {}}),
        ({"adaptive": False}, {}),
        ({"tls": True}, {"tls": {}}),
        ({"tls": {"min_version": 1.3}}, {"tls": {"min_version": "1.3"}}),
    ],
)
def test_pools(short: dict[str, Any], full: dict[str, Any]) -> None:
    assert pool(**short) == pool(**full)


def test_a_pool_may_be_written_as_its_members() -> None:
    assert Pool.model_validate(["m:1"]) == pool()


def test_balances_have_their_options_typed() -> None:
    assert pool(balance="first").balance == PlainBalance(algorithm="first")
    hashed = pool(balance={"consistent_hash": {"key": "header:x-user", "bound": 2}}).balance
    assert isinstance(hashed, ConsistentHash)
    assert (hashed.key, hashed.bound) == ("header:x-user", 2.0)


@pytest.mark.parametrize(
    ("written", "load"), [({}, None), ({"bounded_load": False}, None), ({"bounded_load": True}, 1.25)]
)
def test_load_is_bounded_only_if_asked_for(written: dict[str, Any], load: float | None) -> None:
    hashed = pool(balance={"consistent_hash": written}).balance
    assert isinstance(hashed, ConsistentHash)
    assert (hashed.bounded_load, hashed.bound) == (load, None)


def test_actions() -> None:
    assert (
        Route.model_validate({"respond": 404}).respond
        == Route.model_validate({"respond": {"status": 404}}).respond
    )
    assert Route.model_validate({"redirect": "/x"}) == Route.model_validate(
        {"redirect": {"to": "/x", "status": 302}}
    )


def test_node(loaded: Load) -> None:
    config = loaded(
        "access_log: stdout\nerror_log: false\nadmin: false\ntrusted_proxies: 10.0.0.0/8\n"
    ).config
    assert (config.access_log.path, config.error_log.path, config.admin) == ("-", "off", None)
    assert config.trusted_proxies == (ip_network("10.0.0.0/8"),)


def test_admin_listens_on_loopback_unless_told_otherwise(loaded: Load) -> None:
    admin = loaded("").config.admin
    assert admin is not None
    assert [address.text for address in admin.bind] == ["127.0.0.1:9901"]


def test_names_are_made_from_places(loaded: Load) -> None:
    config = loaded("routes: [{respond: 200}, {name: x, respond: 200}, {respond: 200}]\n").config
    assert [found.name for found in config.routes] == ["route-1", "x", "route-3"]


def test_the_default_store_exists_when_a_route_uses_it(loaded: Load) -> None:
    text = "routes: [{pool: p, cache: true}]\npools: {p: [m:1]}\n"
    assert list(loaded(text).config.caches) == ["default"]
    assert list(loaded(f"{text}caches: {{default: {{memory: 1MB}}}}\n").config.caches) == ["default"]
    assert list(loaded("pools: {p: [m:1]}\n").config.caches) == []


@pytest.mark.parametrize(
    ("text", "host", "port", "path"),
    [
        ("127.0.0.1:80", "127.0.0.1", 80, ""),
        ("[::1]:80", "::1", 80, ""),
        ("*:80", "", 80, ""),
        (":0", "", 0, ""),
        ("unix:/run/x.sock", "", 0, "/run/x.sock"),
        ("app.internal:80", "app.internal", 80, ""),
    ],
)
def test_addresses(loaded: Load, text: str, host: str, port: int, path: str) -> None:
    listeners = f"listeners: [{{bind: '{text}'}}]\n"
    (address,) = loaded("", listeners=listeners).config.listeners[0].bind
    assert (address.text, address.host, address.port, address.path) == (text, host, port, path)


@pytest.mark.parametrize(
    "text", ["m", "m:", ":80", "*:80", "m:0", "m:65536", "::1:80", "http://m:80", "unix:", "m:80/", ""]
)
def test_invalid_member_address_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an address|has no host"):
        pool(members=[text])


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"pool": "p", "respond": 200},
        {"respond": {"status": 204, "body": "x"}},
        {"respond": {"body": "x", "file": "y"}},
        {"respond": {"headers": {"transfer-encoding": "chunked"}}},
        {"redirect": "//{host}{path}"},
        {"redirect": {"to": "/x", "status": 300}},
        {"split": {"p": 0}},
        {"split": {}},
        {"respond": 200, "retries": 1},
        {"pool": "p", "request_headers": {"set": {"connection": "close"}}},
        {"pool": "p", "request_headers": {"set": {"x": "a\nb"}}},
        {"pool": "p", "request_headers": {"set": {"x": "{nobody}"}}},
        {"pool": "p", "request_headers": {"replace": {"x": {"regex": "(a", "replace": ""}}}},
        {"pool": "p", "request_headers": {"replace": {"x": {"regex": "a", "replace": "\\1"}}}},
        {"pool": "p", "request_headers": {"replace": {"x": {"regex": "a"}}}},
        {"pool": "p", "response_headers": {"replace": {"connection": {"regex": "a", "replace": "b"}}}},
        {"pool": "p", "rewrite": {"strip_prefix": "api"}},
        {"pool": "p", "rewrite": {"path": {"regex": "a", "replace": "\\2"}}},
        {"pool": "p", "match": {"path": "relative"}},
        {"pool": "p", "match": {"path": "/a?b=1"}},
        {"pool": "p", "match": {"path": {"exact": "/a", "regex": "b"}}},
        {"pool": "p", "match": {"headers": {"x": {}}}},
        {"pool": "p", "match": {"host": "a.*.b"}},
        {"pool": "p", "match": {"host": "a:80"}},
        {"pool": "p", "match": {"cookies": {"x": {"regex": "[[a"}}}},
        {"pool": "p", "retries": {"on": "599x"}},
        {"pool": "p", "cache": {"key": {"query": {"ignore": "a", "only": "b"}}}},
        {"pool": "p", "plugins": [{"a": {}, "b": {}}]},
        {"pool": "p", "compression": {"encodings": []}},
    ],
)
def test_routes_that_make_no_sense_are_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what each says is the business of test_errors
        Route.model_validate(keys)
