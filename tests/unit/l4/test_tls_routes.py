"""The pool of a ClientHello: by ALPN, by name, by the longest suffix, by default."""

import pytest

from adc.l4.client_hello import ClientHello
from adc.l4.tcp.routes import TlsRoutes

NAMES = {"a.example.com": "a", "*.example.com": "rest", "*.Deep.example.com": "deep"}


@pytest.mark.parametrize(
    ("name", "pool"),
    [
        ("a.example.com", "a"),
        ("b.example.com", "rest"),
        ("x.y.example.com", "rest"),
        ("x.deep.example.com", "deep"),
        ("deep.example.com", "rest"),
        ("example.com", None),
        ("notexample.com", None),
        ("a.example.com.evil.net", None),
        ("", None),
    ],
)
def test_name_decides(name, pool):
    assert TlsRoutes(NAMES, {}, None).find(ClientHello(name, ())) == pool
    assert TlsRoutes(NAMES, {}, "default").find(ClientHello(name, ())) == (pool or "default")


def test_first_offered_protocol_that_is_known_decides_before_the_name():
    routes = TlsRoutes(NAMES, {"postgresql": "db", "h2": "web"}, None)
    assert routes.find(ClientHello("a.example.com", (b"x", b"h2", b"postgresql"))) == "web"
    assert routes.find(ClientHello("a.example.com", (b"x",))) == "a"
