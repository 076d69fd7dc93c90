"""An admin server that others could reach is not configured without a way to tell them apart."""

import pytest

from adc.config import ConfigErrors, load

BASE = "listeners: [{bind: ':0'}]\nroutes: [{respond: {status: 200}}]\n"
TOKEN = "a-token-of-some-length"


def problems(tmp_path, admin):
    file = tmp_path / "adc.yaml"
    file.write_text(BASE + admin)
    try:
        load(file, {})
    except ConfigErrors as errors:
        return [str(problem).removeprefix(f"{tmp_path}/") for problem in errors.problems]
    return []


OPEN = [
    "0.0.0.0:9901",
    ":9901",
    "*:9901",
    "'[::]:9901'",
    "192.0.2.1:9901",
    "'[2001:db8::1]:9901'",
    "'[::ffff:0.0.0.0]:9901'",
    "'[::ffff:192.0.2.1]:9901'",
    "admin.example.com:9901",
    "127.0.0.1.example.com:9901",
    "'unix:@admin'",
]


@pytest.mark.parametrize("bind", OPEN)
@pytest.mark.parametrize("form", ["admin: {bind: BIND}", "admin: {bind: [127.0.0.1:1, BIND]}", "admin: BIND"])
def test_an_address_that_others_reach_needs_a_token(tmp_path, bind, form):
    (problem,) = problems(tmp_path, form.replace("BIND", bind if bind[0] in "'" else f"'{bind}'"))
    assert problem.startswith("adc.yaml:3:")
    assert "admin needs a token" in problem


@pytest.mark.parametrize("bind", OPEN)
def test_a_token_or_client_certificates_open_any_address(tmp_path, bind):
    bind = bind if bind[0] in "'" else f"'{bind}'"
    assert problems(tmp_path, f"admin: {{bind: {bind}, token: {TOKEN}}}") == []
    tls = "tls: {certificate: a.pem, key: a.key, client_ca: ca.pem}"
    assert problems(tmp_path, f"admin: {{bind: {bind}, {tls}}}") == []
    assert problems(tmp_path, f"admin: {{bind: {bind}, tls: {{certificate: a.pem, key: a.key}}}}") != []
    assert problems(tmp_path, f"admin: {{bind: {bind}, token: ''}}") != []


@pytest.mark.parametrize(
    "bind",
    [
        "127.0.0.1:9901",
        "127.9.9.9:1",
        "localhost:9901",
        "'[::1]:9901'",
        "'[::ffff:127.0.0.1]:1'",
        "unix:a.sock",
    ],
)
def test_an_address_of_this_machine_needs_none(tmp_path, bind):
    assert problems(tmp_path, f"admin: {{bind: {bind}}}") == []


@pytest.mark.parametrize(
    "token", ["short", "'has a space in its middle'", "'ümlauts-are-no-printable-ascii'"]
)
def test_a_token_that_cannot_be_sent_or_guessed_at_is_refused(tmp_path, token):
    (problem,) = problems(tmp_path, f"admin: {{token: {token}}}")
    assert "16 to 512 printable characters" in problem
