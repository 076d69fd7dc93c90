"""Keys of listeners and pools without an effect on what they carry are refused, at their place."""

import pytest
import yaml

from adc.config.model import effects
from adc.config.model.health import Health
from adc.config.model.listeners import Listener, ListenerLimits, ListenerTimeouts
from adc.config.model.persistence import Persistence
from adc.config.model.pools import Pool, PoolLimits
from adc.config.model.sessions import ListenerSessions, ListenerSessionTimeouts, SessionKeepAlive

CERTIFICATES = {"certificates": [{"certificate": "a", "key": "b"}]}
LISTENERS = {
    "http": {},
    "tcp": {"protocol": "tcp", "pool": "app"},
    "terminated": {"protocol": "tcp", "pool": "app", "tls": CERTIFICATES},
    "passed": {"protocol": "tcp", "sni": {"a.test": "app"}},
    "udp": {"protocol": "udp", "pool": "app"},
    "smtp": {"protocol": "smtp", "smtp": {"routes": [{"pool": "app"}]}},
    "kernel": {"protocol": "tcp", "pool": "app", "datapath": "kernel"},
}


@pytest.mark.parametrize(
    ("part", "above", "table"),
    [
        (Listener, "", effects.LISTENER),
        (ListenerTimeouts, "timeouts.", effects.LISTENER),
        (ListenerLimits, "limits.", effects.LISTENER),
        (ListenerSessions, "sessions.", effects.LISTENER),
        (ListenerSessionTimeouts, "sessions.timeouts.", effects.LISTENER),
        (SessionKeepAlive, "sessions.keep_alive.", effects.LISTENER),
        (Persistence, "persistence.", effects.POOL),
        (Health, "health.", effects.POOL),
        (PoolLimits, "limits.", effects.POOL),
    ],
)
def test_table_decides_on_every_key(part, above, table):
    assert [key for key in part.written_keys() if above + key not in table] == []


def test_table_decides_on_every_key_of_a_pool():
    decided = {key.partition(".")[0] for key in effects.POOL}
    assert set(Pool.written_keys()) == decided


def text(kind, listener=None, pool=None, more=()):
    listeners = [{"name": "it", "bind": "127.0.0.1:8000", **LISTENERS[kind], **(listener or {})}, *more]
    config = {"listeners": listeners, "pools": {"app": {"members": ["10.0.0.1:80"], **(pool or {})}}}
    if kind == "http":
        config["routes"] = [{"name": "all", "pool": "app"}]
    return yaml.safe_dump(config, sort_keys=False)


@pytest.mark.parametrize(
    ("kind", "keys", "at"),
    [
        ("tcp", {"timeouts": {"keep_alive": "60s"}}, "timeouts.keep_alive"),
        ("tcp", {"timeouts": {"request_head": "60s"}}, "timeouts.request_head"),
        ("smtp", {"timeouts": {"write": "60s"}}, "timeouts.write"),
        ("udp", {"timeouts": {"write": "60s"}}, "timeouts"),
        ("tcp", {"limits": {"header_bytes": "8KB"}}, "limits.header_bytes"),
        ("udp", {"limits": {"connections": 9, "body": "1MB"}}, "limits.body"),
        ("smtp", {"limits": {"requests_per_connection": 9}}, "limits.requests_per_connection"),
        ("tcp", {"hsts": True, "tls": CERTIFICATES}, "hsts"),
        ("tcp", {"udp": {"responses": 1}}, "udp"),
        ("http", {"tcp": {"attempts": 2}}, "tcp"),
        ("http", {"pool": "app"}, "pool"),
        ("http", {"sessions": {"on_expiry": "close"}}, "sessions"),
        ("tcp", {"sessions": {"timeouts": {"udp": "10s"}}}, "sessions.timeouts.udp"),
        ("udp", {"sessions": {"timeouts": {"udp": "10s"}, "on_expiry": "close"}}, "sessions.on_expiry"),
        ("smtp", {"sessions": {"keep_alive": {"member": "10s"}}}, "sessions.keep_alive.member"),
        ("kernel", {"sessions": {"keep_alive": {"member": "10s"}}}, "sessions.keep_alive"),
        ("kernel", {"backlog": 9}, "backlog"),
    ],
)
def test_key_without_effect_on_a_listener_is_refused(refused, kind, keys, at):
    (line,) = refused(text(kind, keys), listeners="")
    assert f": listeners[0].{at}: has no effect with " in line
    assert "; it belongs to " in line


@pytest.mark.parametrize(
    ("kind", "keys", "at", "reason"),
    [
        ("tcp", {"persistence": "cookie"}, "persistence", 'listener "it" (tcp); it is for http'),
        ("tcp", {"persistence": {"header": {"name": "X-User"}}}, "persistence.header", "persistence: source"),
        ("udp", {"persistence": {"query": {"name": "u"}}}, "persistence.query", "persistence: source"),
        (
            "tcp",
            {"persistence": {"learned": {"cookie": "sid"}}},
            "persistence.learned",
            "persistence: source",
        ),
        ("tcp", {"persistence": {"tls": "sni"}}, "persistence.tls", "tcp under TLS or TLS passed through"),
        ("terminated", {"persistence": {"tls": "client_certificate"}}, "persistence.tls", "it is for http"),
        ("smtp", {"persistence": "source"}, "persistence", "it is for http"),
        ("passed", {"tls": True}, "tls", "(TLS passed through); it is for http"),
        ("udp", {"tls": True}, "tls", "it is for http"),
        ("udp", {"proxy_protocol": "v2"}, "proxy_protocol", "(udp); it is for http"),
        ("http", {"tls": {"alpn": ["h2"]}}, "tls.alpn", 'route "all" (http); it is for tcp'),
        ("tcp", {"keep_alive": {"idle": "5s"}}, "keep_alive", "it is for http"),
        ("smtp", {"limits": {"queue": 5}}, "limits.queue", "it is for http"),
        ("udp", {"breaker": {"requests": 5}}, "breaker", "it is for http"),
        ("smtp", {"adaptive": True}, "adaptive", "it is for http"),
        ("tcp", {"health": {"passive": {"statuses": [500]}}}, "health.passive.statuses", "it is for http"),
        (
            "kernel",
            {"health": {"passive": {"failures": 3}}},
            "health.passive",
            "it belongs to datapath: userspace",
        ),
        ("kernel", {"breaker": {"requests": 3}}, "breaker", "it belongs to datapath: userspace"),
        (
            "tcp",
            {"balance": {"consistent_hash": {"key": "path"}}},
            "balance.consistent_hash.key",
            "path is a part of HTTP requests",
        ),
    ],
)
def test_key_without_effect_on_the_users_of_a_pool_is_refused(refused, kind, keys, at, reason):
    (line,) = refused(text(kind, pool=keys), listeners="")
    assert f": pools.app.{at}: " in line
    assert reason in line


@pytest.mark.parametrize(
    ("kind", "listener", "pool"),
    [
        ("terminated", {"limits": {"connections_per_source": 3}}, {"persistence": {"tls": "sni"}}),
        ("passed", {}, {"persistence": {"tls": "sni"}, "proxy_protocol": "v1"}),
        ("passed", {}, {"tls": True, "health": {"active": {"path": "/up"}}}),
        ("udp", {"limits": {"connections": 3}}, {"persistence": "source"}),
        ("smtp", {"sessions": {"on_expiry": "close"}}, {"tls": {"starttls": True}}),
        ("tcp", {"hsts": False, "forwarded": False}, {"breaker": {"connections": 9}, "adaptive": False}),
        ("kernel", {"sessions": {"timeouts": {"tcp": "10s"}}}, {"panic": "50%"}),
    ],
)
def test_key_with_effect_is_accepted(loaded, kind, listener, pool):
    loaded(text(kind, listener, pool), listeners="")


def test_key_with_effect_for_one_user_of_a_pool_is_accepted(loaded):
    more = [{"name": "db", "bind": "127.0.0.1:8001", **LISTENERS["passed"]}]
    loaded(text("http", pool={"tls": True, "keep_alive": {"idle": "5s"}}, more=more), listeners="")


def test_pins_hold_for_every_user_of_a_pool(refused):
    more = [{"name": "db", "bind": "127.0.0.1:8001", **LISTENERS["tcp"]}]
    (line,) = refused(text("http", pool={"persistence": "cookie"}, more=more), listeners="")
    assert 'pools.app.persistence: has no effect on the traffic of listener "db" (tcp)' in line


def test_route_for_a_listener_without_routes_is_refused(refused):
    routes = "routes: [{pool: app, listeners: [it]}]\n"
    (line,) = refused(text("tcp") + routes, listeners="")
    assert 'routes[0].listeners[0]: listener "it" has protocol: tcp; routes are for protocol: http' in line
