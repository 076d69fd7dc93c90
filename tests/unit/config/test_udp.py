"""The options of udp listeners and of their health checks."""

import pytest

LISTENER = "{{name: dns, bind: '127.0.0.1:53', protocol: udp, pool: app{more}}}"


def text(more="", member="10.0.0.1:53", top=""):
    listener = LISTENER.format(more=f", {more}" if more else "")
    return f"listeners: [{listener}]\npools: {{app: {{members: ['{member}']}}}}\n{top}"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("udp: {responses: -1}", "out of range"),
        ("udp: {source_addresses: 0.0.0.0}", "not an address of this machine"),
        ("udp: {source_addresses: example.com}", "not an address of this machine"),
        ("udp: {quic: {connection_ids: server_id}}", "is needed with connection_ids: server_id"),
        ("udp: {quic: {server_ids: {'0a': '10.0.0.1:53'}}}", "without connection_ids: server_id"),
        (
            "udp: {quic: {connection_ids: server_id, server_ids: {'0a': 'h:1', '0a0b': 'h:2'}}}",
            "different lengths",
        ),
        (
            "udp: {quic: {connection_ids: server_id, offset: 19, server_ids: {'0a0b': 'h:2'}}}",
            "leaves no room",
        ),
        ("backlog: 5", "has no effect with protocol: udp; it belongs to protocol: http, tcp or smtp"),
        ("proxy_protocol: {from: [10.0.0.0/8]}", "has no effect with protocol: udp"),
    ],
)
def test_options_without_sense_are_refused(refused, more, words):
    (line,) = refused(text(more), listeners="")
    assert words in line


def test_udp_options_belong_to_udp_listeners(refused):
    (line,) = refused("listeners: [{bind: '127.0.0.1:80', udp: {responses: 1}}]\n", listeners="")
    assert "it belongs to protocol: udp" in line


def test_members_on_unix_sockets_are_refused(refused):
    (line,) = refused(text(member="unix:/run/app.sock"), listeners="")
    assert "members of a udp listener are host:port" in line


def test_listening_on_a_unix_socket_is_refused(refused):
    listener = "listeners: [{bind: 'unix:/run/app.sock', protocol: udp, pool: app}]\n"
    (line,) = refused(listener + "pools: {app: ['10.0.0.1:1']}\n", listeners="")
    assert "a udp listener binds host:port" in line


@pytest.mark.parametrize("persistence", ["cookie", "{header: {name: X-User}}"])
def test_pins_by_parts_of_requests_are_refused(refused, persistence):
    listener = LISTENER.format(more="")
    pools = f"{{app: {{members: ['h:1'], persistence: {persistence}}}}}"
    (line,) = refused(f"listeners: [{listener}]\npools: {pools}\n", listeners="")
    assert line.startswith("2:")
    assert "clients of other listeners are pinned by persistence: source" in line


def test_tcp_and_udp_may_use_the_same_port(loaded):
    both = "listeners: [{bind: '127.0.0.1:53'}, {bind: '127.0.0.1:53', protocol: udp, pool: app}]\n"
    config = loaded(both + "pools: {app: {members: ['10.0.0.1:53']}}\n", listeners="").config
    assert [listener.protocol for listener in config.listeners] == ["http", "udp"]


def checked(probe):
    pool = f"{{members: ['10.0.0.1:53'], health: {{active: {{udp: {probe}}}}}}}"
    return f"listeners: [{{bind: ':80', protocol: udp, pool: app}}]\npools: {{app: {pool}}}\n"


def test_content_of_checks_is_text_or_hexadecimal_digits(loaded):
    config = loaded(checked("{send: 'é', expect: {hex: '0a 0b'}}"), listeners="").config
    probe = config.pools["app"].health.active.udp
    assert (probe.send, probe.expect) == ("é".encode(), b"\n\x0b")


@pytest.mark.parametrize("send", ["{hex: xy}", "[1]", "{text: a}", "'" + 1401 * "x" + "'"])
def test_other_content_of_checks_is_refused(refused, send):
    (line,) = refused(checked(f"{{send: {send}}}"), listeners="")
    assert "pools.app.health.active.udp.send" in line
