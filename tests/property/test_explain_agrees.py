"""`adc explain` says what the router that serves does, and shows the line that decides."""

import copy
import random
import tempfile
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from adc.cli.asking import decide, make_request
from adc.config import load
from adc.runtime.assembly.runtime import build_runtime
from adc.runtime.steps import at_once

HOSTS = ["a.example", "b.example", "deep.a.example"]
WORDS = st.sampled_from(["1", "2", "pro"])
NAMES = st.sampled_from(["X-One", "x-two"])
VALUES = st.one_of(
    WORDS,
    st.lists(WORDS, min_size=1, max_size=2, unique=True),
    st.builds(lambda there: {"present": there}, st.booleans()),
    st.sampled_from([{"regex": "^(1|pro)$"}, {"prefix": "p"}]),
)
NAMED = st.dictionaries(NAMES, VALUES, min_size=1, max_size=2)
PATHS = st.sampled_from(["/", "/a/", "/a", "/a/b/", "/a/b", {"regex": "b$"}, {"prefix": "/a"}])
HOST_RULES = st.sampled_from([*HOSTS, "*.a.example", "*.example", {"regex": "^b"}])
KEYS = {
    "host": HOST_RULES | st.lists(HOST_RULES, min_size=1, max_size=2),
    "path": PATHS | st.lists(PATHS, min_size=1, max_size=2),
    "method": st.sampled_from(["GET", "POST", ["GET", "HEAD"]]),
    "headers": NAMED,
    "query": NAMED,
    "cookies": NAMED,
    "source": st.sampled_from(["10.0.0.0/8", ["127.0.0.0/8", "fd00::/8"]]),
    "tls.sni": HOST_RULES,
    "tls": st.fixed_dictionaries({"sni": HOST_RULES}),
}
MATCHES = st.fixed_dictionaries({}, optional=KEYS).filter(lambda match: not {"tls", "tls.sni"} <= set(match))
LISTENERS = st.sampled_from([None, "web", "other", ["web", "other"]])
ROUTES = st.builds(
    lambda match, listeners: (
        ({"match": match} if match else {}) | ({"listeners": listeners} if listeners else {})
    ),
    MATCHES,
    LISTENERS,
)
FIELDS = st.lists(st.tuples(NAMES, st.sampled_from(["1", "2", "pro", ""])), max_size=2)
QUESTIONS = st.fixed_dictionaries(
    {
        "scheme": st.sampled_from(["http", "https"]),
        "host": st.sampled_from([*HOSTS, "A.Example:8080", "127.0.0.1"]),
        "path": st.sampled_from(["/", "/a", "/a/", "/a/b", "/%61/b", "/x/../a/", "//a", "/c"]),
        "method": st.sampled_from(["GET", "HEAD", "POST"]),
        "query": FIELDS,
        "headers": FIELDS,
        "cookies": FIELDS,
        "source": st.sampled_from(["127.0.0.1", "10.1.2.3", "192.0.2.1", "fd00::1"]),
        "listener": st.sampled_from([0, 1]),
    }
)


def configuration(routes):
    """The routes as a file, every key on a line of its own; each route has a name that tells its place."""
    named = [{"name": f"r{number}", **route, "pool": "app"} for number, route in enumerate(routes)]
    document = {
        "listeners": [
            {"name": name, "bind": f"127.0.0.1:{port}"} for name, port in (("web", 8080), ("other", 8081))
        ],
        "routes": copy.deepcopy(named),  # an anchor for what two routes share would move its lines
        "pools": {"app": ["127.0.0.1:9001"]},
    }
    return yaml.dump(document, sort_keys=False, default_flow_style=False)


def request_of(asked):
    query = "&".join(f"{name}={value}" for name, value in asked["query"])
    fields = list(asked["headers"])
    if asked["cookies"]:
        fields.append(("Cookie", "; ".join(f"{name}={value}" for name, value in asked["cookies"])))
    url = f"{asked['scheme']}://{asked['host']}{asked['path']}{'?' if query else ''}{query}"
    return make_request(asked["method"], url, fields, asked["source"])


def line_of(step, lines):
    line = lines[int(step.where.split(":")[-2]) - 1]
    return line.strip().removeprefix("- ")


@settings(max_examples=150, deadline=None)
@given(st.lists(ROUTES, min_size=1, max_size=5), QUESTIONS)
def test_explain_and_the_live_router_agree_and_the_lines_are_those_of_the_keys(routes, asked):
    text = configuration(routes)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "adc.yaml"
        file.write_text(text)
        loaded = load(file, {})
    listener = loaded.config.listeners[asked["listener"]]
    live = at_once(build_runtime(loaded.config, random.Random(1))).finders[listener.name](request_of(asked))
    decision = decide(loaded, listener, request_of(asked))

    assert (decision.route and decision.route.name) == (live and live.name)
    assert decision.outcome["route"] == (live and live.name)
    lines = text.splitlines()
    for step in decision.steps:
        shown = line_of(step, lines)
        if not step.key:
            assert shown == f"name: {decision.routes[step.rule].name}"
            continue
        group, _, name = step.key.partition(".")
        names = {step.key, name or group} if group == "tls" else {name or group}
        assert shown.partition(":")[0].lower() in {each.lower() for each in names}, (step, shown)
    taking = [step.rule for step in decision.steps if step.ok]
    assert {decision.routes[rule].name for rule in taking} == ({live.name} if live else set())
