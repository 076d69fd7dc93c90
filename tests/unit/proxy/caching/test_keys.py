"""Keys of a route: the URL, and the mark of a route that the URL does not tell."""

import pytest

from adc.cache.keys import KeyRules, url_of
from adc.cache.memory import MemoryStore
from adc.cache.options import CacheOptions
from adc.cache.stats import Stats
from adc.cache.tiered import TieredStore
from adc.config.model.routes import Route
from adc.http.headers import Headers
from adc.http.message import Request
from adc.proxy.caching.cache_stage import CacheStage
from adc.proxy.caching.store import SharedStore
from adc.runtime.assembly.routes import _key_suffix

REQUEST = Request("GET", "/a?b", "/a", "b", "host", "host", Headers([(b"Host", b"host"), (b"X-T", b"1")]))


STORE = SharedStore("site", TieredStore(MemoryStore(1000, 100), None, None, Stats(), 100), None, None, None)


def key(suffix=b"", **rules):
    return CacheStage(STORE, CacheOptions(key=KeyRules(**rules)), None, suffix).key(REQUEST)


def test_the_url_of_a_key_stays_the_url_whatever_is_added():
    assert key() == b"http://host/a?b"
    assert key(b"route=1") == b"http://host/a?b\0route=1"
    assert key(b"route=1", headers=(b"x-t",)).startswith(b"http://host/a?b\0h:x-t=1:1;")
    assert {
        url_of(key(suffix, headers=headers)) for suffix in (b"", b"r") for headers in ((), (b"x-t",))
    } == {b"http://host/a?b"}


def route(**match):
    return Route.model_validate({"match": match, "pool": "app"})


def test_host_and_path_need_no_mark():
    assert _key_suffix(route(path="/x/", host="a")) == b""


@pytest.mark.parametrize(
    "match",
    [{"headers": {"X-Beta": "1"}}, {"cookies": {"b": "1"}}, {"method": "GET"}, {"source": "10.0.0.0/8"}],
)
def test_other_conditions_make_a_mark_that_another_route_does_not_have(match):
    mark = _key_suffix(route(**match))
    assert mark
    assert mark != _key_suffix(route(query={"x": "1"}))
    assert mark == _key_suffix(route(path="/y", **match))
