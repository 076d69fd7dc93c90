"""Timeouts of the session table that break something are named with the value to change."""

import pytest

from adc.config import Config, load
from adc.config.session_timeouts import application_disagreements, conntrack_disagreements

BASE = """
sessions: {timeouts: {tcp: 350s}, keep_alive: {client: 60s}}
listeners:
  - {name: db, bind: 127.0.0.1:5432, protocol: tcp, pool: app}
  - {name: dns, bind: 127.0.0.1:53, protocol: udp, pool: app}
pools: {app: {members: [127.0.0.1:9001]}}
"""


def loaded(tmp_path, text):
    file = tmp_path / "adc.yaml"
    file.write_text(text)
    return load(file, {})


def places(problems):
    return [".".join(map(str, each.path)) for each in problems]


def test_defaults_agree(tmp_path):
    assert loaded(tmp_path, BASE).timeouts() == ()


def test_mismatch_that_listeners_share_is_reported_once(tmp_path):
    other = "  - {name: other, bind: 127.0.0.1:5433, protocol: tcp, pool: app}\npools:"
    text = BASE.replace("client: 60s", "client: 350s").replace("pools:", other)
    assert places(loaded(tmp_path, text).timeouts()) == ["sessions.keep_alive.client"]


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        ("client: 60s", "client: 350s", "sessions.keep_alive.client"),
        ("client: 60s", "member: 1h", "sessions.keep_alive.member"),
        ("tcp: 350s", "tcp: 90s, tcp_half_closed: 2m", "sessions.timeouts.tcp_half_closed"),
        ("tcp: 350s", "udp: 3m", "sessions.timeouts.udp_stream"),
        (
            "protocol: tcp, pool: app",
            "protocol: tcp, pool: app, sessions: {timeouts: {tcp: 20s, tcp_half_closed: 5s}}",
            "sessions.keep_alive.client",
        ),
        (
            "protocol: udp, pool: app",
            "protocol: udp, pool: app, sessions: {timeouts: {udp_stream: 5s}}",
            "listeners.1.sessions.timeouts.udp_stream",
        ),
    ],
)
def test_mismatch_names_the_value_to_change(tmp_path, before, after, path):
    assert before in BASE
    assert places(loaded(tmp_path, BASE.replace(before, after)).timeouts()) == [path]


def test_smtp_sessions_outlive_the_pauses_of_mail_servers(tmp_path):
    text = BASE.replace("protocol: tcp, pool: app", "protocol: smtp, smtp: {routes: [{pool: app}]}")
    assert loaded(tmp_path, text).timeouts() == ()
    short = text.replace("tcp: 350s", "tcp: 100s")
    assert places(loaded(tmp_path, short).timeouts()) == ["sessions.timeouts.tcp"]


def test_pause_of_an_application_needs_a_longer_timeout_or_probes(tmp_path):
    config = loaded(tmp_path, BASE).config
    assert [path for path, _ in application_disagreements(config, 600.0)] == [
        ("sessions", "timeouts", "udp_stream")
    ]
    config = loaded(tmp_path, BASE.replace(", keep_alive: {client: 60s}", "")).config
    assert len(list(application_disagreements(config, 600.0))) == 2
    assert list(application_disagreements(config, 60.0)) == []


def test_connection_tracking_that_forgets_earlier_is_named(tmp_path):
    config = loaded(tmp_path, BASE).config
    kernel = {"nf_conntrack_tcp_timeout_established": 300.0, "nf_conntrack_udp_timeout_stream": 120.0}
    [(path, message)] = conntrack_disagreements(config, kernel)
    assert path == ("sessions", "timeouts", "tcp")
    assert "nf_conntrack_tcp_timeout_established" in message
    assert list(conntrack_disagreements(config, {})) == []


@pytest.mark.parametrize(
    ("listener", "top"), [({"datapath": "kernel"}, {}), ({}, {"firewall": {"engine": "nftables"}})]
)
def test_timeouts_that_the_kernel_was_given_do_not_disagree_with_it(listener, top):
    listener = {"name": "db", "bind": "127.0.0.1:5432", "protocol": "tcp", "pool": "p", **listener}
    config = Config.model_validate({"listeners": [listener], "pools": {"p": ["10.0.0.1:5432"]}, **top})
    assert list(conntrack_disagreements(config, {"nf_conntrack_tcp_timeout_established": 1.0})) == []


def test_kernel_sends_no_probes_that_keep_a_session():
    listener = {"name": "db", "bind": "127.0.0.1:5432", "protocol": "tcp", "pool": "p", "datapath": "kernel"}
    sessions = {"timeouts": {"tcp": "60s"}, "keep_alive": {"client": "5s"}}
    config = Config.model_validate(
        {"listeners": [listener], "pools": {"p": ["10.0.0.1:5432"]}, "sessions": sessions}
    )
    ((_, message),) = application_disagreements(config, 100.0)
    assert message.endswith("raise the timeout")
