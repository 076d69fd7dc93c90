from collections.abc import Callable

import pytest

from adc.config import Loaded

Load = Callable[..., Loaded]
Refused = Callable[..., list[str]]


POOLS = "pools: {app: [m:1], next: [m:2]}\ncaches: {site: {}}\n"


@pytest.mark.parametrize(
    ("route", "message"),
    [
        ("{pool: ap}", 'routes[0].pool: there is no pool "ap"; did you mean "app"? Known: app, next'),
        ("{split: {app: 1, nxt: 1}}", 'routes[0].split.nxt: there is no pool "nxt"; did you mean "next"?'),
        ("{pool: app, mirror: other}", 'routes[0].mirror: there is no pool "other"'),
        ("{pool: app, mirror: {pool: other}}", 'routes[0].mirror.pool: there is no pool "other"'),
        ("{pool: app, cache: sit}", 'routes[0].cache: there is no cache "sit"; did you mean "site"?'),
        ("{pool: app, cache: {store: sit}}", 'routes[0].cache.store: there is no cache "sit"'),
        (
            "{pool: app, listeners: wbe}",
            'routes[0].listeners: there is no listener "wbe"; did you mean "web"?',
        ),
    ],
)
def test_a_name_that_nobody_gives_is_told_with_the_nearest(
    refused: Refused, route: str, message: str
) -> None:
    (line,) = refused(f"{POOLS}routes: [{route}]\n")
    assert message in line


def test_names_that_are_given_are_accepted(loaded: Load) -> None:
    config = loaded(
        f"{POOLS}routes:\n- {{pool: app, cache: site, listeners: web, mirror: next}}\n"
        "- {split: {app: 1, next: 2}}\n"
    ).config
    assert config.routes[0].mirror is not None
    assert config.routes[1].split == {"app": 1, "next": 2}


def test_two_routes_of_one_name_are_refused_default_names_included(refused: Refused) -> None:
    lines = refused(f"{POOLS}routes: [{{name: route-2, pool: app}}, {{pool: app}}]\n")
    assert 'route "route-2" is defined twice; the first is routes[0]' in lines[0]


def test_two_listeners_on_one_address_are_refused(refused: Refused) -> None:
    (line,) = refused("listeners: [{name: a, bind: ':80'}, {name: b, bind: [':81', ':80']}]\n", listeners="")
    assert '":80" is bound twice; the first is listeners[0].bind[0]' in line


def test_any_number_of_listeners_may_let_the_kernel_choose_a_port(loaded: Load) -> None:
    listeners = "listeners: [{name: a, bind: 127.0.0.1:0}, {name: b, bind: 127.0.0.1:0}]\n"
    assert len(loaded("", listeners=listeners).config.listeners) == 2


def test_proxy_protocol_from_nobody_is_refused(refused: Refused, loaded: Load) -> None:
    listeners = "listeners: [{name: a, bind: ':80', proxy_protocol: true}]\n"
    assert "nobody may send it" in refused("", listeners=listeners)[0]
    assert loaded("trusted_proxies: 10.0.0.0/8\n", listeners=listeners).config.listeners[0].proxy_protocol


def test_a_cluster_needs_redis(refused: Refused) -> None:
    assert "state: {backend: redis" in refused("cluster: {name: a}\n")[0]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("on_unknown: redirect", "cluster.on_unknown: redirect needs advertise"),
        ("peers: [b:7946]", "cluster.peers: peers has no effect without on_unknown: redirect"),
    ],
)
def test_cluster_options_that_need_another_one_say_so(refused: Refused, written: str, message: str) -> None:
    state = "state: {backend: redis, url: 'redis://127.0.0.1'}\n"
    assert message in refused(f"{state}cluster: {{name: a, {written}}}\n")[0]


def test_expectations_name_what_exists(refused: Refused) -> None:
    lines = refused(f"{POOLS}tests: [{{request: {{url: /, listener: x}}, expect: {{route: r, pool: p}}}}]\n")
    assert [line.split(": ")[1] for line in lines] == [
        "tests[0].request.listener",
        "tests[0].expect.route",
        "tests[0].expect.pool",
    ]
