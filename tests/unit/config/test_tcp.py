"""The options of tcp listeners and of TLS below HTTP."""

import pytest

TLS = "tls: {{certificates: [{{certificate: a, key: b}}]{more}}}"


def text(protocol="tcp", tls="", pool="", listener=""):
    more = TLS.format(more=tls) + (f", {listener}" if listener else "")
    named = "" if protocol == "http" else ", pool: app"
    routes = "routes: [{pool: app}]\n" if protocol == "http" else ""
    return (
        f"listeners: [{{name: db, bind: '127.0.0.1:5432', protocol: {protocol}{named}, {more}}}]\n{routes}"
        f"pools: {{app: {{members: ['10.0.0.1:5432'], tls: {{verify: true{pool}}}}}}}\n"
    )


def test_names_of_alpn_are_kept_in_order(loaded):
    config = loaded(text(tls=", alpn: [postgresql, mqtt]", pool=", alpn: mqtt"), listeners="").config
    assert config.listeners[0].tls.alpn == ("postgresql", "mqtt")
    assert config.pools["app"].tls.alpn == ("mqtt",)


@pytest.mark.parametrize("name", ["''", "'a b'", "x" * 256, "é"])
def test_name_of_alpn_has_1_to_255_visible_characters(refused, name):
    (line,) = refused(text(tls=f", alpn: ['{name.strip(chr(39))}']"), listeners="")
    assert "listeners[0].tls.alpn" in line
    assert "a protocol name of ALPN, for example postgresql" in line


def test_list_of_alpn_is_bounded(refused):
    (line,) = refused(text(pool=f", alpn: [{', '.join(f'p{n}' for n in range(33))}]"), listeners="")
    assert "pools.app.tls.alpn: has too many items; at most 32 are allowed" in line


def test_alpn_of_an_http_listener_is_refused(refused):
    (line,) = refused(text("http", tls=", alpn: [h2]"), listeners="")
    assert (
        "listeners[0].tls.alpn: has no effect with protocol: http; it belongs to protocol: tcp or smtp"
        in line
    )


def test_unix_socket_has_no_port_for_members(refused):
    listener = "listeners: [{bind: 'unix:s', protocol: tcp, pool: app, tcp: {member_port: listener}}]\n"
    (line,) = refused(listener + "pools: {app: ['10.0.0.1:1']}\n", listeners="")
    assert 'listeners[0].tcp.member_port: "unix:s" has no port; write member_port: member' in line


def test_pool_of_an_alpn_route_is_used(loaded):
    listener = "listeners: [{bind: ':1', protocol: tcp, tcp: {alpn: {h2: app}}}]\n"
    assert loaded(listener + "pools: {app: ['10.0.0.1:1']}\n", listeners="").lint == ()
