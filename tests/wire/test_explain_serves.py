"""`adc explain` says what a service on the same configuration does."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from adc.cli.app import app
from tests.kit.ports import free_port
from tests.wire.service import Service, http

CONFIG = """
workers: 1
trusted_proxies: [127.0.0.1]
listeners:
- {name: web, bind: "@web", redirect_to_https: {status: 307, port: 8443}}
- {name: other, bind: "@other", trusted_proxies: []}
routes:
- {name: office, match: {source: 192.0.2.0/24}, respond: {status: 201}}
- {name: told, match: {headers: {x-forwarded-for: {present: true}}}, respond: {status: 202}}
- {name: rest, respond: {status: 203}}
admin: false
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("explain"))
    service.other = free_port()
    service.write(CONFIG, other=service.other)
    asyncio.run(service.started())
    yield service
    service.close()


def explained(service, *arguments):
    result = CliRunner().invoke(app, ["explain", str(service.config), "GET", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


CASES = [
    ("web", {}),
    ("web", {"X-Forwarded-Proto": "https"}),
    ("web", {"X-Forwarded-Proto": "http"}),
    ("web", {"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}),
    ("web", {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.1"}),
    ("other", {"X-Forwarded-For": "192.0.2.7"}),
    ("other", {"X-Forwarded-Proto": "https"}),
]


@pytest.mark.parametrize(("listener", "fields"), CASES)
async def test_explain_says_what_a_listener_answers(service, listener, fields):
    port = service.port if listener == "web" else service.other
    status, _ = await http(port, "/a?b", fields={"Host": "www.example.com", **fields})
    options = [option for name, value in fields.items() for option in ("-H", f"{name}: {value}")]
    said = explained(service, "/a?b", "--listener", listener, "-H", "Host: www.example.com", *options)
    assert said["status"] == status
    if status == 307:
        assert said["redirect"] == "https://www.example.com:8443/a?b"
        assert said["by"] == "listener web: redirect_to_https"
