"""The `smtp` part of a listener: what is accepted, and what is refused with which words."""

import pytest
import yaml

from adc.config.errors import ConfigErrors
from adc.config.lint import doubtful
from adc.config.loading import load

LISTENER = {
    "name": "mail",
    "bind": "127.0.0.1:2525",
    "protocol": "smtp",
    "smtp": {"routes": [{"pool": "mx"}]},
}
POOLS = {"mx": ["127.0.0.1:25"]}


def loaded(tmp_path, listener=None, smtp=None, pools=None):
    mapping = {"listeners": [{**LISTENER, **(listener or {})}], "pools": pools or POOLS}
    if smtp is not None:
        mapping["listeners"][0]["smtp"] = {**LISTENER["smtp"], **smtp}
    file = tmp_path / "adc.yaml"
    file.write_text(yaml.safe_dump(mapping))
    return load(file).config


def refused(tmp_path, **parts):
    with pytest.raises(ConfigErrors) as caught:
        loaded(tmp_path, **parts)
    return str(caught.value)


def test_contract_example_is_accepted(tmp_path):
    routes = [{"match": {"rcpt_domain": ["example.com"]}, "pool": "mx"}, {"pool": "mx"}]
    one, rest = loaded(tmp_path, smtp={"routes": routes}).listeners[0].smtp.routes
    assert one.match.rcpt_domain[0].exact == "example.com"
    assert rest.match.rcpt_domain == ()


def test_off_without_quotes_is_off(tmp_path):
    pair = {"certificate": "a.crt", "key": "a.key"}
    config = loaded(tmp_path, listener={"tls": {"certificates": [pair]}}, smtp={"starttls": False})
    assert config.listeners[0].smtp.starttls == "off"


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"listener": {"protocol": "http"}}, "listeners[0].smtp: has no effect with protocol: http"),
        ({"listener": {"smtp": None}}, "needs smtp"),
        ({"smtp": {"routes": []}}, "listeners[0].smtp.routes"),
        ({"smtp": {"routes": [{"pool": "mxx"}]}}, 'there is no pool "mxx"; did you mean "mx"'),
        ({"smtp": {"auth": {"pool": "my"}}}, 'there is no pool "my"'),
        ({"smtp": {"auth": {"pool": "mx", "file": "users"}}}, "auth has pool and file"),
        ({"smtp": {"auth": {"pool": "mx"}}}, "is offered under TLS only"),
        ({"smtp": {"starttls": "required"}}, "has no effect without tls"),
        ({"smtp": {"extensions": ["CHUNKING"]}}, "not one of: DSN, SMTPUTF8"),
        ({"smtp": {"routes": [{"match": {"size": {}}, "pool": "mx"}]}}, "needs min, max or both"),
        (
            {"smtp": {"routes": [{"match": {"rcpt": {}}, "pool": "mx"}]}},
            "an address rule needs exactly one of",
        ),
        ({"smtp": {"routes": [{"match": {"rcpt": "ann"}, "pool": "mx"}]}}, "not a mail address, such as"),
        ({"listener": {"pool": "mx"}}, "has no effect with protocol: smtp"),
        (
            {"pools": {**POOLS, "app": {"members": ["127.0.0.1:80"], "tls": {"starttls": True}}}},
            "pools.app.tls.starttls: is for pools of smtp listeners",
        ),
        (
            {
                "pools": {
                    "mx": {"members": ["127.0.0.1:25"], "health": {"active": {"smtp": True, "tcp": True}}}
                }
            },
            "a check is either tcp or smtp",
        ),
    ],
)
def test_contradiction_is_refused(tmp_path, parts, told):
    assert told in refused(tmp_path, **parts)


EXAMPLE = {"match": {"rcpt_domain": ["example.com"]}, "pool": "mx"}


@pytest.mark.parametrize(
    ("routes", "told"),
    [
        ([EXAMPLE, {"pool": "mx"}], []),
        ([{"pool": "mx"}, EXAMPLE], [(1, "is never reached: routes[0] matches all that it matches")]),
        ([EXAMPLE, EXAMPLE], [(1, "is never reached: routes[0] matches all that it matches")]),
        (
            [{"match": {"size": {"min": "2MB", "max": "1MB"}}, "pool": "mx"}],
            [(0, "matches no message: size.min is above size.max")],
        ),
    ],
)
def test_routes_that_nothing_reaches_are_doubtful(tmp_path, routes, told):
    config = loaded(tmp_path, smtp={"routes": routes})
    assert list(doubtful(config)) == [
        (("listeners", 0, "smtp", "routes", number), text) for number, text in told
    ]
