"""`adc run` refuses nothing that `adc check` lets pass: each broken configuration is tried with both."""

import os
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adc.cli.app import app
from adc.control.supervisor import Supervisor
from tests.kit.authority import Authority

ROUTE = "routes: [{respond: {status: 200}}]\n"
WEB = "listeners: [{name: web, bind: '127.0.0.1:0'}]\n"
BASE = WEB + "admin: false\n"
PLUGIN = "from adc.plugin import Plugin\n\n\nclass Own(Plugin):\n    name = 'own'\n"
PICKY = """
from dataclasses import dataclass
from adc.plugin import OptionErrors, Plugin

@dataclass(frozen=True)
class Options:
    files: list[str]

class Own(Plugin[Options]):
    def __init__(self, options):
        raise OptionErrors([(("files", 1), "no such rules")])
"""
WARNS = """
from adc.plugin import NoOptions, Plugin

class Own(Plugin[NoOptions]):
    def warnings(self):
        return ["the rule is dead"]
"""
STARTS_NOT = PLUGIN + "\n    async def start(self, host):\n        raise OSError('no such door')\n"
TABLE = PLUGIN + "\n    async def start(self, host):\n        host.table('seen', 10)\n"
SHARED_TABLE = TABLE.replace("10)", "10, 'cluster')")
WRONG_METRIC = PLUGIN + "\n    async def start(self, host):\n        host.counter('Upper', 'Wrong.')\n"
EXITS = "raise SystemExit(3)\n"
QUITS = PLUGIN + "\n    async def start(self, host):\n        raise SystemExit(4)\n"

BROKEN = {
    "log field": (BASE + ROUTE + "access_log: {format: '{nonsense}'}\n", "4:22: access_log.format"),
    "log without a field": (BASE + ROUTE + "access_log: {format: 'text'}\n", "4:22: access_log.format"),
    "access log in no folder": (BASE + ROUTE + "access_log: none/a.log\n", "4:13: access_log"),
    "error log in no folder": (BASE + ROUTE + "error_log: none/e.log\n", "4:12: error_log"),
    "error log is a folder": (BASE + ROUTE + "error_log: {path: folder}\n", "4:19: error_log.path"),
    "log under a file": (BASE + ROUTE + "access_log: file/a.log\n", "4:13: access_log"),
    "no file of an answer": (
        BASE + "routes: [{respond: {status: 200, file: none.html}}]\n",
        "routes[0].respond.file",
    ),
    "answer is a folder": (
        BASE + "routes: [{respond: {status: 200, file: folder}}]\n",
        "routes[0].respond.file",
    ),
    "no error page": (BASE + ROUTE + "error_pages: {404: none.html}\n", "4:20: error_pages.404"),
    "error page of wrong syntax": (
        BASE + ROUTE + "error_pages: {503: broken.html}\n",
        "4:20: error_pages.503",
    ),
    "no error page of a route": (
        BASE + "routes: [{error_pages: {5xx: none.html}, respond: 200}]\n",
        "3:30: routes[0].error_pages.5xx",
    ),
    "no root of files": (BASE + "routes: [{files: {root: none}}]\n", "3:25: routes[0].files.root"),
    "no root of files in short": (BASE + "routes: [{files: none}]\n", "3:18: routes[0].files"),
    "root of files is no folder": (BASE + "routes: [{files: {root: file}}]\n", "Not a directory"),
    "no file at the end of try": (
        BASE + "routes: [{files: {root: folder, try: [$uri, /none.html, =404]}}]\n",
        "routes[0].files.try[1]",
    ),
    "no fallback of files": (
        BASE + "routes: [{files: {root: folder, fallback: none.html}}]\n",
        "routes[0].files.fallback",
    ),
    "no certificate": (
        "listeners: [{bind: '127.0.0.1:0', tls: {certificates: {certificate: none.pem, key: none.key}}}]\n"
        "admin: false\n" + ROUTE,
        "listeners[0].tls.certificates",
    ),
    "key of another": (
        "listeners: [{bind: '127.0.0.1:0', tls: {certificates: {certificate: ca/a.test.crt, key: ca/b.test.key}}}]\n"
        "admin: false\n" + ROUTE,
        "it is not the key of the certificate",
    ),
    "certificate is none": (
        "listeners: [{bind: '127.0.0.1:0', tls: {certificates: {certificate: file, key: ca/a.test.key}}}]\n"
        "admin: false\n" + ROUTE,
        "listeners[0].tls.certificates",
    ),
    "unknown ciphers": (
        "listeners: [{bind: '127.0.0.1:0', tls: {ciphers: NONSENSE,\n"
        " certificates: {certificate: ca/a.test.crt, key: ca/a.test.key}}}]\nadmin: false\n" + ROUTE,
        "1:50: listeners[0].tls.ciphers",
    ),
    "no authority": (
        "listeners: [{bind: '127.0.0.1:0', tls: {client_auth: {ca: none.pem},\n"
        " certificates: {certificate: ca/a.test.crt, key: ca/a.test.key}}}]\nadmin: false\n" + ROUTE,
        "listeners[0].tls.client_auth",
    ),
    "authority is none": (
        "listeners: [{bind: '127.0.0.1:0', tls: {client_auth: {ca: file},\n"
        " certificates: {certificate: ca/a.test.crt, key: ca/a.test.key}}}]\nadmin: false\n" + ROUTE,
        "there is no certificate in it",
    ),
    "revocation list is none": (
        "listeners: [{bind: '127.0.0.1:0', tls: {client_auth: {ca: ca/ca.pem, crl: file},\n"
        " certificates: {certificate: ca/a.test.crt, key: ca/a.test.key}}}]\nadmin: false\n" + ROUTE,
        "no certificate revocation list",
    ),
    "no authority of members": (
        BASE + "routes: [{pool: p}]\npools: {p: {members: ['127.0.0.1:1'], tls: {ca: none.pem}}}\n",
        "pools.p.tls",
    ),
    "no certificate for members": (
        BASE + "routes: [{pool: p}]\n"
        "pools: {p: {members: ['127.0.0.1:1'], tls: {certificate: none.pem, key: none.key}}}\n",
        "pools.p.tls",
    ),
    "no certificate of admin": (
        WEB + ROUTE + "admin: {bind: '127.0.0.1:0', tls: {certificate: none.pem, key: none.key}}\n",
        "3:35: admin.tls",
    ),
    "wildcard beside an address": (
        "listeners:\n- {name: a, bind: '0.0.0.0:PORT'}\n- {name: b, bind: '127.0.0.1:PORT'}\nadmin: false\n"
        + ROUTE,
        '3:19: listeners[1].bind: "127.0.0.1:PORT" overlaps "0.0.0.0:PORT"',
    ),
    "address before a wildcard": (
        "listeners:\n- {name: a, bind: '127.0.0.1:PORT'}\n- {name: b, bind: ':PORT'}\nadmin: false\n" + ROUTE,
        "3:19: listeners[1].bind",
    ),
    "wildcard beside an address of one listener": (
        "listeners:\n- {name: a, bind: ['127.0.0.1:PORT', '0.0.0.0:PORT']}\nadmin: false\n" + ROUTE,
        "2:39: listeners[0].bind[1]",
    ),
    "one address by two names": (
        "listeners:\n- {name: a, bind: 'localhost:PORT'}\n- {name: b, bind: '127.0.0.1:PORT'}\nadmin: false\n"
        + ROUTE,
        "3:19: listeners[1].bind",
    ),
    "one unix socket by two names": (
        "listeners:\n- {name: a, bind: 'unix:s'}\n- {name: b, bind: 'unix:folder/../s'}\nadmin: false\n"
        + ROUTE,
        "3:19: listeners[1].bind",
    ),
    "admin beside a listener": (
        "listeners: [{name: a, bind: ':PORT'}]\nadmin: {bind: '127.0.0.1:PORT'}\n" + ROUTE,
        "2:15: admin.bind",
    ),
    "address of another machine": (
        "listeners: [{bind: '192.0.2.1:PORT'}]\nadmin: false\n" + ROUTE,
        "1:20: listeners[0].bind",
    ),
    "name without an address": (
        "listeners: [{bind: 'no-such-name.invalid:PORT'}]\nadmin: false\n" + ROUTE,
        "1:20: listeners[0].bind",
    ),
    "unix socket in no folder": (
        "listeners: [{bind: 'unix:none/s'}]\nadmin: false\n" + ROUTE,
        "is no folder",
    ),
    "unix socket is a file": (
        "listeners: [{bind: 'unix:file'}]\nadmin: false\n" + ROUTE,
        "is a file that is no socket",
    ),
    "unix socket too long": (f"listeners: [{{bind: 'unix:/{'s' * 200}'}}]\nadmin: false\n" + ROUTE, "1:20"),
    "admin for all": (WEB + ROUTE + "admin: {bind: ':0'}\n", "3:15: admin.bind"),
    "cache folder is a file": (
        BASE
        + "routes: [{pool: p, cache: {store: s}}]\npools: {p: ['127.0.0.1:1']}\ncaches: {s: {disk: file}}\n",
        "5:20: caches.s.disk",
    ),
    "cache folder under a file": (
        BASE
        + "routes: [{pool: p, cache: {store: s}}]\npools: {p: ['127.0.0.1:1']}\ncaches: {s: {disk: file/c}}\n",
        "5:20: caches.s.disk",
    ),
    "one cache folder twice": (
        BASE + "routes: [{pool: p, cache: {store: s}}]\npools: {p: ['127.0.0.1:1']}\n"
        "caches:\n  s: {disk: c}\n  t: {disk: folder/../c}\n",
        "7:13: caches.t.disk",
    ),
    "broken cache index": (
        BASE
        + "routes: [{pool: p, cache: {store: s}}]\npools: {p: ['127.0.0.1:1']}\ncaches: {s: {disk: rotten}}\n",
        "broken index",
    ),
    "state folder is a file": (
        BASE
        + "routes: [{pool: p}]\npools: {p: {members: ['127.0.0.1:1'], persistence: {source: {timeout: 1m}}}}\n"
        "state: {path: file}\n",
        "5:15: state.path",
    ),
    "state folder open to all": (
        BASE
        + "routes: [{pool: p}]\npools: {p: {members: ['127.0.0.1:1'], persistence: {cookie: {timeout: 1m}}}}\n"
        "state: {path: open}\n",
        "5:15: state.path",
    ),
    "key of wrong length": (
        BASE
        + "routes: [{pool: p}]\npools: {p: {members: ['127.0.0.1:1'], persistence: {cookie: {timeout: 1m}}}}\n"
        "state: {path: short}\n",
        "5:15: state.path",
    ),
    "no such plugin": (
        BASE + "routes: [{respond: {status: 200}, plugins: [none]}]\n",
        "there is no such plugin",
    ),
    "no plugin folder": (
        BASE + "routes: [{respond: {status: 200}, plugins: [own]}]\nplugin_paths: none\n",
        "4:15: plugin_paths",
    ),
    "plugin of wrong syntax": (
        BASE + "routes: [{respond: {status: 200}, plugins: [own]}]\nplugin_paths: syntax\n",
        "4:15: plugin_paths",
    ),
    "plugin with unknown options": (
        BASE + "routes: [{respond: {status: 200}, plugins: [own: {nonsense: 1}]}]\nplugin_paths: plugins\n",
        "routes[0].plugins[0].own.nonsense",
    ),
    "plugin that does not start": (
        BASE + "routes: [{respond: {status: 200}, plugins: [own]}]\nplugin_paths: fails\n",
        "no such door",
    ),
    "plugin whose option cannot be used": (
        BASE + "routes: [{respond: {status: 200}, plugins: [own: {files: [a, b]}]}]\nplugin_paths: picky\n",
        "3:62: routes[0].plugins[0].own.files[1]: no such rules",
    ),
    "second plugin that does not start": (
        BASE + "routes: [{respond: {status: 200}, plugins: [security_headers, own]}]\nplugin_paths: fails\n",
        "3:63: routes[0].plugins[1]",
    ),
    "plugin that exits when it is imported": (
        BASE + "routes: [{respond: {status: 200}, plugins: [own]}]\nplugin_paths: exits\n",
        "4:15: plugin_paths",
    ),
    "plugin that exits when it starts": (
        BASE + "routes: [{respond: {status: 200}, plugins: [own]}]\nplugin_paths: quits\n",
        "SystemExit: 4",
    ),
    "plugin with a table in a file": (
        BASE
        + "routes: [{respond: {status: 200}, plugins: [own]}]\nplugin_paths: table\nstate: {path: file}\n",
        "5:15: state.path",
    ),
    "plugin with a table in a folder open to all": (
        BASE
        + "routes: [{respond: {status: 200}, plugins: [own]}]\nplugin_paths: table\nstate: {path: open}\n",
        "5:15: state.path",
    ),
    "plugin with a table that machines share, without redis": (
        BASE + "routes: [{respond: {status: 200}, plugins: [own]}]\nplugin_paths: shared\n",
        "the state backend is local; write state: {backend: redis,",
    ),
    "plugin with a counter of a wrong name": (
        BASE + "routes: [{respond: {status: 200}, plugins: [own]}]\nplugin_paths: metric\n",
        "counter 'Upper' has no valid name",
    ),
    "member without a label": (
        BASE + "routes: [{pool: p}]\npools: {p: ['a..b:80']}\n",
        "a label of a name has 1 to 63 characters",
    ),
    "member with a long label": (
        BASE + f"routes: [{{pool: p}}]\npools: {{p: ['{'a' * 64}.b:80']}}\n",
        "a label of a name has 1 to 63 characters",
    ),
    "cache index is a file": (
        BASE
        + "routes: [{pool: p, cache: {store: s}}]\npools: {p: ['127.0.0.1:1']}\ncaches: {s: {disk: wrong}}\n",
        "5:20: caches.s.disk",
    ),
    "database of a redis cluster": (
        BASE
        + "routes: [{pool: p}]\npools: {p: {members: ['127.0.0.1:1'], persistence: {source: {timeout: 1m}}}}\n"
        "state: {backend: redis, url: 'redis://127.0.0.1:1/3', cluster: true}\n",
        "5:30: state.url",
    ),
    "redis cluster by a unix socket": (
        BASE
        + "routes: [{pool: p}]\npools: {p: {members: ['127.0.0.1:1'], persistence: {source: {timeout: 1m}}}}\n"
        "state: {backend: redis, url: 'unix:///s', cluster: true}\n",
        "5:30: state.url",
    ),
    "no such user": (BASE + ROUTE + "user: no-such-user\n", "4:7: user"),
    "no such group": (BASE + ROUTE + "user: nobody\ngroup: no-such-group\n", "5:8: group"),
    "redis port": (
        BASE
        + "routes: [{pool: p}]\npools: {p: {members: ['127.0.0.1:1'], persistence: {source: {timeout: 1m}}}}\n"
        "state: {backend: redis, url: 'redis://127.0.0.1:99999999/0'}\n",
        "5:30: state.url",
    ),
}
GOOD = {
    "plain": BASE + ROUTE,
    "two ports": "listeners: [{name: a, bind: '127.0.0.1:0'}, {name: b, bind: ':0'}]\nadmin: false\n" + ROUTE,
    "a new log": BASE + ROUTE + "access_log: folder/new.log\n",
    "a new cache": BASE
    + "routes: [{pool: p, cache: {store: s}}]\npools: {p: ['127.0.0.1:1']}\ncaches: {s: {disk: c/d}}\n",
    "a plugin with a table": BASE
    + "routes: [{respond: {status: 200}, plugins: [own]}]\nplugin_paths: table\nstate: {path: new}\n",
    "a plugin": BASE + "routes: [{respond: {status: 200}, plugins: [own]}]\nplugin_paths: plugins\n",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with what the configurations name; `adc run` ends as soon as it serves."""
    (tmp_path / "file").write_text("nothing")
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken.html").write_text("{% if %}")
    (tmp_path / "rotten" / "index").mkdir(parents=True)
    (tmp_path / "rotten" / "index" / "data.mdb").write_bytes(b"rotten" * 4096)
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "index").write_text("nothing")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "short").mkdir(mode=0o700)
    (tmp_path / "short" / "signing.key").write_bytes(b"short")
    for name, text in (
        ("plugins", PLUGIN),
        ("syntax", "def"),
        ("fails", STARTS_NOT),
        ("exits", EXITS),
        ("quits", QUITS),
        ("table", TABLE),
        ("shared", SHARED_TABLE),
        ("metric", WRONG_METRIC),
        ("picky", PICKY),
        ("warns", WARNS),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own.py").write_text(text)
    authority = Authority(tmp_path / "ca")
    authority.issue("a.test")
    authority.issue("b.test")
    start = Supervisor._start

    async def starts(supervisor, loaded):
        await start(supervisor, loaded)
        supervisor._ending.set()

    monkeypatch.setattr(Supervisor, "_start", starts)
    return tmp_path


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def verdicts(folder: Path, text: str):
    file = folder / "adc.yaml"
    file.write_text(text)
    runner = CliRunner()
    checked = runner.invoke(app, ["check", str(file)])
    before = sorted(os.listdir(folder))
    served = runner.invoke(app, ["run", str(file), "--workers", "0"])
    return checked, served, before


@pytest.mark.parametrize("name", BROKEN)
def test_check_refuses_what_run_refuses_and_names_the_place(folder, port, name):
    text, wanted = BROKEN[name]
    if name == "no such group" and os.geteuid() != 0:
        pytest.skip("only root can become another user")
    checked, served, _ = verdicts(folder, text.replace("PORT", str(port)))
    assert checked.exit_code == 2, checked.output
    assert wanted.replace("PORT", str(port)) in checked.stderr
    assert "adc.yaml:" in checked.stderr
    assert served.exit_code in (1, 2), served.output
    assert wanted.replace("PORT", str(port)) in served.stderr


@pytest.mark.parametrize("name", GOOD)
def test_check_lets_pass_what_run_serves_and_leaves_nothing_behind(folder, name):
    names = sorted(os.listdir(folder))
    checked, served, before = verdicts(folder, GOOD[name])
    assert checked.exit_code == 0, checked.output
    assert served.exit_code == 0, served.output
    assert before == sorted([*names, "adc.yaml"])


def test_check_prints_warnings_of_plugins_with_their_place(folder):
    text = BASE + "routes: [{respond: {status: 200}, plugins: [own]}]\nplugin_paths: warns\n"
    checked, served, _ = verdicts(folder, text)
    assert (checked.exit_code, served.exit_code) == (0, 0)
    assert "3:45: routes[0].plugins[0]: the rule is dead" in checked.output


def test_everything_is_told_at_once(folder, port):
    text = (
        "listeners:\n"
        "- {name: a, bind: '192.0.2.1:1'}\n"
        "- {name: b, bind: 'unix:none/s', tls: {certificates: {certificate: none.pem, key: none.key}}}\n"
        "routes:\n"
        "- {respond: {status: 200, file: none.html}}\n"
        "error_pages: {404: none.html}\n"
        "access_log: none/a.log\n"
        "admin: false\n"
    )
    checked, served, _ = verdicts(folder, text)
    lines = [line.partition("adc.yaml:")[2].split(":")[0] for line in checked.stderr.splitlines()]
    assert sorted(lines) == ["2", "3", "3", "5", "6", "7"]
    assert served.exit_code == 1
