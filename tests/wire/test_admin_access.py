"""Who reaches the admin server of a real service."""

import asyncio
import base64
import json
import os
import socket
import ssl
import stat
from http.client import HTTPSConnection

import pytest

from tests.kit.authority import Authority
from tests.kit.ports import free_port
from tests.wire.service import http, until

CONFIG = """
workers: 1
listeners: [{name: web, bind: "@web"}]
routes: [{respond: {status: 200, body: here}}]
"""
TOKEN = "a-token-of-some-length"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Content-Type": "application/json"}


async def test_only_who_has_the_token_is_let_in(service):
    service.write(CONFIG + f'admin: {{bind: "0.0.0.0:{service.admin}", token: {TOKEN}}}')
    await service.started()

    async def status(path="/api/v1/status", **fields):
        return (await http(service.admin, path, fields=fields))[0]

    assert await status() == 401
    assert await status(Authorization="Bearer wrong-token-of-some-length") == 401
    assert await status(Authorization=f"Bearer {TOKEN}x") == 401
    assert await status(Authorization=TOKEN) == 401
    assert await status(Authorization="Basic %%%") == 401
    assert await status(**BEARER) == 200
    password = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()
    assert await status(Authorization=f"Basic {password}") == 200
    assert await status("/metrics") == 401
    assert await status("/") == 401
    assert await status("/livez/") == 401
    assert [await status(path) for path in ("/livez", "/readyz", "/healthz")] == [200, 200, 200]
    answer = await http(service.admin, "/api/v1/reload", method="POST", fields=JSON)
    assert answer[0] == 401
    answer = await http(service.admin, "/api/v1/reload", method="POST", fields={**JSON, **BEARER})
    assert answer[0] == 200


async def test_the_verbs_show_the_token_of_the_configuration(service):
    service.write(CONFIG + f'admin: {{bind: "@admin", token: {TOKEN}}}')
    await service.started()
    assert (await service.run("status", "--config", str(service.config)))[0] == 0
    code, output = await service.run("status", "--admin", f"127.0.0.1:{service.admin}")
    assert code == 1
    assert "ADC_ADMIN_TOKEN" in output


async def test_a_reload_changes_token_names_and_address_and_is_answered(service):
    service.write(CONFIG + 'admin: {bind: "@admin"}')
    await service.started()
    named = {"Host": "console.example"}
    status, text = await http(service.admin, "/livez", fields=named)
    assert status == 421
    assert b"admin.hosts" in text
    moved = free_port()
    service.write(
        CONFIG + f'admin: {{bind: "@moved", token: {TOKEN}, hosts: [console.example]}}', moved=moved
    )
    status, told = await http(service.admin, "/api/v1/reload", method="POST", fields=JSON)
    assert (status, json.loads(told)["result"]) == (200, "ok")

    async def let_in():
        return (await http(moved, "/api/v1/status", fields={**named, **BEARER}))[0] == 200

    await until(let_in)
    assert (await http(moved, "/api/v1/status", fields=named))[0] == 401


async def test_the_unix_socket_of_admin_is_its_owners_only(service):
    path = service.folder / "admin.sock"
    service.write(CONFIG + f"admin: {{bind: 'unix:{path}'}}")
    before = os.umask(0)
    try:
        await service.started()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 200")


async def test_client_certificates_are_asked_for(service, monkeypatch):
    authority = Authority(service.folder / "ca")
    certificate, client = authority.issue("localhost"), authority.issue("operator")
    admin = {
        "bind": f"127.0.0.1:{service.admin}",
        "tls": {**certificate, "client_ca": str(authority.file)},
    }
    service.write(CONFIG + f"admin: {json.dumps(admin)}")
    await service.started()
    context = authority.context()

    def ask():
        connection = http_client(service.admin, context)
        try:
            connection.request("GET", "/api/v1/status", headers={"Host": "localhost"})
            return connection.getresponse().status
        finally:
            connection.close()

    with pytest.raises(OSError, match=r"certificate required|EOF|reset|closed"):
        await asyncio.to_thread(ask)
    context.load_cert_chain(client["certificate"], client["key"])
    assert await asyncio.to_thread(ask) == 200
    assert (await service.run("status", "--config", str(service.config)))[0] == 1
    monkeypatch.setenv("ADC_ADMIN_CERTIFICATE", client["certificate"])
    monkeypatch.setenv("ADC_ADMIN_KEY", client["key"])
    assert (await service.run("status", "--config", str(service.config)))[0] == 0


def http_client(port, context: ssl.SSLContext):
    return HTTPSConnection("localhost", port, context=context, timeout=10)
