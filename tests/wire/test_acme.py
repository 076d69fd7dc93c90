import asyncio
import ssl
import time
from random import Random

import pytest

from adc.config.loading import load
from adc.control.acme import renewal_in, wanted_of
from adc.control.acme_order import Order, Wanted
from adc.runtime.assembly.runtime import build_runtime
from adc.runtime.steps import at_once
from tests.kit.acme_server import AcmeServer
from tests.kit.authority import Authority, tls_client
from tests.kit.client import get
from tests.kit.ports import free_port
from tests.kit.waiting import eventually
from tests.wire.service import Service, http, until

CONFIG = """
workers: 2
listeners:
  - {{name: web, bind: "@web", redirect_to_https: true}}
  - name: secure
    bind: "@secure"
    tls: {{acme: {{domains: [a.test, b.test], email: ops@a.test, directory: "{directory}", ca: "{ca}"}}}}
routes: [{{respond: {{body: served}}}}]
admin: {{bind: "@admin"}}
"""


@pytest.fixture
async def service(tmp_path):
    service = Service(tmp_path)
    yield service
    service.close()


async def shown(port, authority, name="a.test"):
    """The names of the certificate, None if it does not verify."""
    try:
        client = await tls_client(port, authority.context(), name)
    except ssl.SSLCertVerificationError:
        return None
    names = [value for _, value in client.writer.get_extra_info("ssl_object").getpeercert()["subjectAltName"]]
    reply = await client.ask(get(host=name))
    assert reply.body == b"served"
    client.close()
    return names


async def test_certificate_is_obtained_used_by_all_workers_and_kept(tmp_path, service):
    authority, secure = Authority(tmp_path / "ca"), free_port()
    async with AcmeServer(authority, service.port) as server:
        text = CONFIG.format(directory=server.directory, ca=authority.file)
        service.write(text, secure=secure)
        await service.started()

        async def issued():
            every = [await shown(secure, authority) for _ in range(24)]  # of both workers
            return every == [["a.test", "b.test"]] * 24

        await until(issued)
        assert sorted(server.validations) == [("a.test", True), ("b.test", True)]
        assert (await http(service.port, "/.well-known/acme-challenge/unknown"))[0] == 308
        file = tmp_path / "acme" / "a.test.pem"
        assert file.stat().st_mode & 0o777 == 0o600

        assert len(server.orders) == 1

    kept = load(service.config).config  # as a process that starts now reads it
    assert at_once(build_runtime(kept, Random(0))).server_tls["secure"].facts[0].names == ("a.test", "b.test")
    (wanted,) = wanted_of(kept)
    assert renewal_in(wanted, time.time()) > 0


async def test_placeholder_serves_until_the_authority_believes_us(tmp_path, service):
    authority, secure = Authority(tmp_path / "ca"), free_port()
    async with AcmeServer(authority, free_port()) as server:
        service.write(CONFIG.format(directory=server.directory, ca=authority.file), secure=secure)
        await service.started()
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        client = await tls_client(secure, context)
        assert (await client.ask(get(host="a.test"))).body == b"served"
        client.close()
        await eventually(lambda: "certificate_not_issued domains=a.test,b.test" in service.log.read_text())
        assert await shown(secure, authority) is None


async def test_account_is_kept_between_orders(tmp_path):
    authority = Authority(tmp_path / "ca")
    answers = {}

    async def answer(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        body = answers[head.split()[1].decode().rpartition("/")[2]].encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()

    challenged = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with challenged, AcmeServer(authority, challenged.sockets[0].getsockname()[1]) as server:
        for name in ("one.test", "two.test"):
            wanted = Wanted((name,), server.directory, tmp_path / "kept" / f"{name}.pem", ca=authority.file)
            order = Order(wanted)
            answers.update(await asyncio.to_thread(order.begin))
            await asyncio.to_thread(order.finish)
            assert "PRIVATE KEY" in wanted.file.read_text()
        assert len(server.accounts) == 1
        assert server.orders == [["one.test"], ["two.test"]]
