"""The command line: what each verb prints, and its exit codes."""

import json

import pytest
from typer.testing import CliRunner

from adc.cli import admin_client
from adc.cli.app import app
from adc.runtime.operations.convert import to_json
from tests.kit.rows import row

GOOD = """
listeners: [{name: web, bind: 127.0.0.1:0}]
routes:
  - name: api
    match: {path: /api/, headers: {x-beta: "1"}}
    rewrite: {strip_prefix: /api}
    pool: app
  - name: moved
    match: {path: /old/}
    redirect: {to: "/new{path}", status: 301}
  - name: canary
    match: {path: /shop/}
    split: {app: 9, other: 1}
pools: {app: [127.0.0.1:9001], other: [127.0.0.1:9002]}
admin: {bind: 127.0.0.1:1}
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "adc.yaml"
    path.write_text(GOOD)
    return path


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_version():
    assert run("--version").stdout.startswith("adc 0.")


@pytest.mark.parametrize("arguments", [["nonsense"], ["check"], ["run", "x", "--workers", "-1"]])
def test_wrong_usage_is_code_2(arguments):
    assert run(*arguments).exit_code == 2


def test_a_good_configuration_is_ok(config):
    result = run("check", config)
    assert result.exit_code == 0
    assert result.stdout.endswith("adc.yaml: ok\n")


def test_a_wrong_configuration_is_code_2_with_every_place(config):
    config.write_text(GOOD.replace("routes:", "ruotes:").replace("split", "splitt"))
    result = run("check", config)
    assert result.exit_code == 2
    assert f"{config}:3:1: ruotes: unknown key" in result.stderr


def test_check_warns_of_what_is_doubtful(config):
    config.write_text(GOOD.replace("/old/", "/api/").replace('headers: {x-beta: "1"}', "method: GET"))
    config.write_text(config.read_text().replace(", method: GET", ""))
    result = run("check", config)
    assert result.exit_code == 0
    assert "can never match" in result.stdout


def test_check_refuses_what_this_machine_lacks(config):
    config.write_text(GOOD + "error_pages: {404: none.html}\n")
    result = run("check", config)
    assert result.exit_code == 2
    assert "error_pages.404:" in result.stderr
    assert "none.html: No such file or directory" in result.stderr


def test_check_as_json(config):
    assert json.loads(run("check", config, "--json").stdout)["ok"] is True
    config.write_text("listeners: 5\n")
    result = run("check", config, "--json")
    assert result.exit_code == 2
    answer = json.loads(result.stdout)
    assert answer["ok"] is False
    assert answer["errors"]


def test_a_file_that_is_not_there_is_code_2_without_a_traceback(tmp_path):
    for verb in ("check", "run"):
        result = run(verb, tmp_path / "none.yaml")
        assert result.exit_code == 2
        assert "none.yaml" in result.stderr


def test_a_log_that_cannot_be_written_is_code_2_without_a_traceback(config, tmp_path):
    config.write_text(GOOD + f"error_log: {tmp_path}/none/error.log\n")
    result = run("run", config, "--workers", 0)
    assert result.exit_code == 2
    assert result.stderr.startswith("adc: cannot write the error log:")


def test_schema_is_a_json_schema():
    assert json.loads(run("schema").stdout)["properties"]["listeners"]


def test_explain_names_the_line_of_each_step(config):
    result = run("explain", config, "GET", "/api/users", "-H", "x-beta: 2")
    assert result.exit_code == 0
    first, *_, last = result.stdout.splitlines()
    assert first.startswith(f"{config}:")
    assert "headers.x-beta 2 does not match 1" in first
    assert last == "no route matches: 404"


def test_explain_tells_what_the_member_sees(config):
    result = run("explain", config, "GET", "http://a.example/api/users?x=1", "-H", "x-beta: 1", "--json")
    answer = json.loads(result.stdout)
    assert (answer["route"], answer["pool"], answer["path"]) == ("api", "app", "/users")
    assert answer["host"] == "a.example"
    assert [step["ok"] for step in answer["steps"]] == [True, True]


def test_explain_tells_where_a_redirect_leads(config):
    answer = json.loads(run("explain", config, "GET", "/old/a?b=c", "--json").stdout)
    assert (answer["status"], answer["redirect"]) == (301, "/new/old/a?b=c")


DENY = """
listeners: [{name: web, bind: 127.0.0.1:0}]
routes:
  - {name: deny, match: {path: /admin/}, respond: 403}
  - {name: all, pool: app}
pools: {app: [127.0.0.1:9001]}
tests:
  - {request: /admin%2f, expect: {route: all, status: 400}}
  - {request: //lead//x, expect: {pool: app, path: //lead//x}}
  - {request: "http://a/b/./c?d", expect: {pool: app, path: /b/./c}}
"""


MIXED = """
listeners:
  - {name: db, bind: 127.0.0.1:15432, protocol: tcp, pool: app}
  - {name: web, bind: 127.0.0.1:0}
routes: [{name: all, listeners: [web], pool: app}]
pools: {app: [127.0.0.1:9001]}
"""


def test_explain_passes_over_listeners_that_have_no_routes(config):
    config.write_text(MIXED)
    answer = json.loads(run("explain", config, "GET", "/", "--json").stdout)
    assert (answer["listener"], answer["route"]) == ("web", "all")
    named = run("explain", config, "GET", "/", "--listener", "db")
    assert (named.exit_code, named.stderr) == (2, "listener db has protocol: tcp; only http has routes\n")
    config.write_text(
        MIXED.splitlines()[1] + "\n" + MIXED.splitlines()[2] + "\npools: {app: [127.0.0.1:9001]}\n"
    )
    none = run("explain", config, "GET", "/")
    assert (none.exit_code, none.stderr) == (2, "no listener has protocol: http; only those have routes\n")


def test_explain_says_that_a_path_is_refused_and_why(config):
    config.write_text(DENY)
    result = run("explain", config, "GET", "/admin%2f")
    assert result.exit_code == 0
    why = "the path can be read as /admin/, which route deny takes instead of all"
    assert result.stdout.splitlines()[-1] == f"refused: 400: {why}"
    answer = json.loads(run("explain", config, "GET", "/admin;x/", "--json").stdout)
    assert (answer["route"], answer["status"]) == ("all", 400)
    assert "pool" not in answer


def test_expectations_about_paths_are_those_of_the_service(config):
    config.write_text(DENY)
    assert run("test", config).stdout.endswith("3 of 3 expectations met\n")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["GET", "/%00"], "answered with 400"),
        (["GET", "ftp://a/"], "http://"),
        (["GET", "/", "-H", "nonsense"], "is not a field"),
        (["GET", "/", "--source", "nowhere"], "nowhere"),
        (["GET", "/", "--listener", "none"], "there is no listener none; there are: web"),
        (["GET", "/", "-H", "Host: a b"], "400"),
    ],
)
def test_explain_refuses_what_is_no_request(config, arguments, text):
    result = run("explain", config, *arguments)
    assert result.exit_code == 2
    assert text in result.stderr


TESTS = """
tests:
  - {request: /old/x, expect: {route: moved, redirect: /new/old/x, status: 301}}
  - {request: /nowhere, expect: {route: none, status: 404}}
  - {request: /shop/x, expect: {pool: other}}
"""


def test_expectations_that_are_met(config):
    config.write_text(GOOD + TESTS)
    result = run("test", config)
    assert result.exit_code == 0
    assert result.stdout.endswith("3 of 3 expectations met\n")


def test_an_expectation_that_is_not_met_is_code_1_with_its_line(config):
    config.write_text(GOOD + TESTS.replace("route: moved", "route: api"))
    result = run("test", config)
    assert result.exit_code == 1
    assert f"{config}:" in result.stdout
    assert "route: expected api, got moved" in result.stdout


def test_without_a_service_the_verbs_that_ask_it_are_code_1(config):
    for verb in (["status"], ["reload"], ["members", "list"], ["members", "drain", "app", "a"]):
        result = run(*verb, "--config", config)
        assert result.exit_code == 1
        assert "no response from the admin server at 127.0.0.1:1" in result.stderr


@pytest.mark.parametrize("address", ["nonsense", "a:b", ":1", "a:99999"])
def test_an_admin_address_that_is_none_is_code_2(address):
    assert run("status", "--admin", address).exit_code == 2


def test_a_service_without_admin_server_cannot_be_asked(config):
    config.write_text(GOOD.replace("admin: {bind: 127.0.0.1:1}", "admin: false"))
    result = run("status", "--config", config)
    assert result.exit_code == 2
    assert "admin: false" in result.stderr


@pytest.mark.parametrize(
    ("bind", "address"),
    [('"[::]:99"', "[::1]:99"), ('":99"', "127.0.0.1:99"), ("10.0.0.1:99", "10.0.0.1:99")],
)
def test_the_admin_address_is_one_that_can_be_connected_to(config, bind, address):
    token = "a-token-of-some-length"
    config.write_text(GOOD.replace("{bind: 127.0.0.1:1}", f"{{bind: {bind}, token: {token}}}"))
    assert admin_client.admin_address(None, config) == (address, token, None)


def answers(monkeypatch, status, value):
    """Let a service that does not exist answer every request so; returns what it was asked."""
    asked = []

    def ask(address, method, path, body=None):
        asked.append((method, path, body))
        return status, value

    for module in ("admin_client", "node.reload"):
        monkeypatch.setattr(f"adc.cli.{module}.ask", ask)
    return asked


def test_a_member_is_named_in_full_in_the_path(monkeypatch):
    asked = answers(monkeypatch, 200, {"pool": "app", "member": "unix:/run/a.sock", "state": "drain"})
    assert run("members", "drain", "app", "unix:/run/a.sock").exit_code == 0
    assert asked == [("POST", "/api/v1/members/app/unix%3A%2Frun%2Fa.sock", {"state": "drain"})]


def test_a_refusal_of_the_service_is_code_1(monkeypatch):
    answers(monkeypatch, 404, {"error": "there is no pool app"})
    result = run("members", "enable", "app", "a")
    assert result.exit_code == 1
    assert result.stderr == "there is no pool app\n"


def test_a_reply_of_another_version_is_code_1(monkeypatch):
    answers(monkeypatch, 200, [{"pool": "app"}])
    result = run("members", "list")
    assert result.exit_code == 1
    assert "runs another version of adc" in result.stderr


def test_a_failed_reload_is_code_1_with_the_reasons(monkeypatch):
    answers(monkeypatch, 409, {"result": "failed", "messages": ["adc.yaml:1:1: wrong"], "at": 1.0})
    result = run("reload")
    assert result.exit_code == 1
    assert "adc.yaml:1:1: wrong" in result.stderr


def test_a_table_cuts_nothing_off_and_prints_markup_as_it_is(monkeypatch):
    name = "a-rather-long-name-of-a-member-that-is-longer-than-the-eighty-columns-of-a-terminal-would-be"
    answers(monkeypatch, 200, [to_json(row("[red]app", name, state="up"))])
    output = run("members", "list").stdout
    assert name in output
    assert "[red]app" in output


def test_a_table_spells_out_what_a_terminal_would_obey(monkeypatch):
    answers(monkeypatch, 200, [to_json(row("app", "a\x1b[2J\r\n\u202e\udcff", state="up"))])
    output = run("members", "list").stdout
    assert r"a\x1b[2J\r\n\u202e\udcff" in output


def test_explain_shows_the_line_of_each_name_however_it_is_written(tmp_path):
    path = tmp_path / "adc.yaml"
    path.write_text("""
listeners: [{name: web, bind: 127.0.0.1:0}]
routes:
  - name: partners
    match:
      headers:
        X-First: a
        X-Second: b
      tls.sni: partners.example
    pool: app
pools: {app: [127.0.0.1:9001]}
""")
    output = run("explain", path, "GET", "https://partners.example/", "-H", "x-first: a").stdout
    assert output.splitlines()[0] == f"{path}:8:19: partners: headers.x-second nothing does not match b"
    output = run("explain", path, "GET", "http://partners.example/").stdout
    assert output.splitlines()[0] == f"{path}:9:16: partners: tls.sni nothing does not match partners.example"


def test_explain_says_that_a_rewrite_makes_a_path_that_is_refused(tmp_path):
    path = tmp_path / "adc.yaml"
    path.write_text(GOOD.replace("{strip_prefix: /api}", '{path: {regex: "users", replace: "../../.."}}'))
    result = run("explain", path, "GET", "/api/users", "-H", "x-beta: 1")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "-> api: status 400")


SCHEMES = """
listeners:
- {name: plain, bind: 127.0.0.1:0, redirect_to_https: true}
- {name: secure, bind: 127.0.0.1:0, tls: {certificates: {certificate: a, key: b}}}
routes:
- {name: only-secure, listeners: secure, respond: {status: 200}}
- {name: rest, respond: {status: 201}}
tests:
- {request: {url: "http://a.example/x"}, expect: {status: 308, redirect: "https://a.example/x"}}
- {request: {url: "https://a.example/x"}, expect: {route: only-secure}}
- {request: {url: /x, listener: secure}, expect: {route: only-secure}}
"""


def test_the_listener_of_the_scheme_decides(tmp_path):
    path = tmp_path / "adc.yaml"
    path.write_text(SCHEMES)
    assert "only-secure" in run("explain", path, "GET", "https://a.example/").stdout.splitlines()[-1]
    said = run("explain", path, "GET", "http://a.example/y").stdout
    assert said == "-> listener plain: redirect_to_https: status 308, redirect https://a.example/y\n"
    assert "3 of 3 expectations met" in run("test", path).stdout


def test_explain_names_the_plugins_that_may_decide_otherwise(tmp_path):
    path = tmp_path / "adc.yaml"
    path.write_text(
        "listeners: [{bind: 127.0.0.1:0}]\nroutes: [{respond: {status: 200}, plugins: [security_headers]}]\n"
    )
    assert "unless a plugin decides otherwise: security_headers" in run("explain", path, "GET", "/").stdout
