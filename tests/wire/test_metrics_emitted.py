"""Every declared metric family is emitted by a service that uses everything, or by a test that is named here."""

import asyncio
import socket
import struct
from pathlib import Path

from adc.telemetry.families import FAMILIES
from tests.kit.authority import Authority
from tests.kit.member import Member, answering, response
from tests.kit.ports import free_port
from tests.kit.waiting import PATIENCE, within
from tests.wire.service import http

EMITTED_ELSEWHERE = {
    "adc_cluster_passed_total": "tests/cluster/nodes.py",
    "adc_datagrams_passed_total": "tests/cluster/test_udp.py",
    "adc_sessions_taken_over_total": "tests/cluster/test_udp.py",
    "adc_smtp_messages_total": "tests/wire/smtp/test_life.py",
}
"""Families that need more than one node, or a mail server, with the file of tests that reads them."""

PLUGINS = """
from adc.plugin import NoOptions, Plugin, Response

class Counts(Plugin[NoOptions]):
    name = "counts"
    async def start(self, host):
        self.seen = host.counter("seen", "Requests seen.")
        self.last = host.gauge("last", "Time of the last request.")
        self.table = host.table("clients", 100)
        self.rules = host.keyed_counter("rules", "Requests by rule.")
        self.lines = host.log_file("-")
    def request_head(self, context):
        self.seen.add()
        self.rules.add("7")
        self.last.set(1.0)
        self.table.set(b"client", b"seen", 60)
        return Response(403, {}, "no")

class Fails(Plugin[NoOptions]):
    name = "fails"
    def request_head(self, context):
        raise ValueError("on purpose")
"""

CONFIG = """
workers: 1
plugin_paths: [@plugins]
state: {backend: local, path: @state}
admin: {bind: "@admin"}
firewall: {}
listeners:
  - {name: web, bind: "@web"}
  - {name: tls, bind: "127.0.0.1:0", tls: {certificates: [{certificate: @certificate, key: @key}]}}
  - {name: db, bind: "@db", protocol: tcp, pool: app}
  - {name: dns, bind: "@dns", protocol: udp, pool: dead}
sessions: {log: {path: @log}}
caches: {site: {memory: 1MB, disk: {path: @cache, size: 100MB}}}
routes:
  - {match: {path: /stopped}, plugins: [counts], pool: app}
  - {match: {path: /failed}, plugins: [fails], pool: app}
  - {match: {path: /dead}, pool: dead}
  - {match: {path: /cached}, pool: app, cache: site, mirror: {pool: app, compare: size}}
  - {match: {path: /cookie}, pool: cookie}
  - {match: {path: /table}, pool: table}
pools:
  app: {members: ["@member"], limits: {connections_per_member: 9, queue: 9}, breaker: {requests: 99}}
  dead: {members: ["127.0.0.1:1"]}
  cookie: {members: ["@member"], persistence: {cookie: {name: PIN}}}
  table: {members: ["@member", "@other"], persistence: {header: {name: x-user}}}
"""


async def test_every_declared_metric_is_emitted(service, tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "noted.py").write_text(PLUGINS)
    pair = Authority(tmp_path / "ca").issue("a.test")
    page = response(b"x", "Cache-Control: max-age=100")
    async with Member(answering(page)) as member, Member(answering(page)) as other:
        text = CONFIG
        for name in ("plugins", "state", "cache", "log"):
            text = text.replace(f"@{name}", str(tmp_path / name))
        for name, file in pair.items():
            text = text.replace(f"@{name}", file)
        ports = {name: free_port() for name in ("db", "dns")}
        service.write(text, member=member.port, other=other.port, **ports)
        await service.started()
        for path in ("/stopped", "/failed", "/dead", "/cached", "/cached"):
            await service.get(path)
        await http(service.port, "/cookie", fields={"Cookie": "PIN=forged"})
        await http(service.port, "/table", fields={"X-User": "ann"})
        pinned = member if any(b"/table" in request.raw for request in member.requests) else other
        await _disable(service, f"table/{pinned.address}")
        await http(service.port, "/table", fields={"X-User": "ann"})
        await _below_http(ports)
        async with asyncio.timeout(PATIENCE):
            while "adc_flow_ends_total{" not in "".join(await service.metrics()):
                await asyncio.sleep(0.02)
        series = {line.split("{")[0].split(" ")[0] for line in await service.metrics() if line[:1] != "#"}
    emitted = {name for name, family in FAMILIES.items() if series & set(_samples(family))}
    assert set(FAMILIES) - emitted == set(EMITTED_ELSEWHERE)


async def _below_http(ports):
    """Send through one connection and close it; send one datagram without a member."""
    reader, writer = await asyncio.open_connection("127.0.0.1", ports["db"])
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    await within(reader.read(1))
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", ("127.0.0.1", ports["dns"]))


async def _disable(service, member):
    fields = {"Host": f"127.0.0.1:{service.admin}", "Content-Type": "application/json"}
    path = f"/api/v1/members/{member}"
    status, _ = await http(service.admin, path, method="POST", fields=fields, body=b'{"state": "disable"}')
    assert status == 200


def _samples(family):
    """The names of its series."""
    return (f"{family.name}_count",) if family.type == "histogram" else (family.name,)


def test_metrics_emitted_elsewhere_are_read_there():
    for name, file in EMITTED_ELSEWHERE.items():
        assert name in Path(__file__).parents[2].joinpath(file).read_text()
