"""Regression tests of the OWASP CRS through the proxy, judged by the audit log."""

import asyncio
import json
import re
from contextlib import asynccontextmanager
from http import HTTPStatus

from tests.kit.crs import RUN_LIMITS, crs_folder, crs_sources, read_cases, reflected
from tests.kit.crs import read_request as read_bytes
from tests.kit.member import Member
from tests.kit.waiting import PATIENCE
from tests.wire.plugins.waf.protected import protecting

REFUSED_BY_THE_CODEC = {"920181-1": 400}
"""Cases whose requests adc never passes on: the one with Content-Length and Transfer-Encoding is ambiguous."""


async def origin(conversation):
    """What the regression tests expect of the server behind the firewall."""
    request = await conversation.request()
    lines = b"".join(b"%b: %b\r\n" % field for field in request.fields)
    wanted = reflected(read_bytes(request.start + b"\r\n" + lines + b"\r\n" + _framed(request)))
    status, fields, body = (200, (), b"") if wanted is None else (wanted.status, wanted.headers, wanted.body)
    if not any(name.lower() == b"content-type" for name, _ in fields):
        fields = (*fields, (b"Content-Type", b"text/plain; charset=utf-8"))
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Length: {len(body)}\r\n".encode()
    await conversation.send(head + b"".join(b"%b: %b\r\n" % field for field in fields) + b"\r\n" + body)


def _framed(request):
    if b"transfer-encoding" in request:
        return b"%x\r\n%b\r\n0\r\n\r\n" % (len(request.body), request.body)
    return request.body


@asynccontextmanager
async def crs_serving(folder):
    """Serve an origin behind the whole rule set in the engine settings of the regression tests."""
    files = []
    (folder / "rules").mkdir()
    for number, (name, text) in enumerate(crs_sources(crs_folder(), 4, RUN_LIMITS)):
        if name.startswith("/"):
            files.append(name)
            continue
        (folder / "rules" / f"{number}.conf").write_text(text)
        files.append(f"rules/{number}.conf")
    async with (
        Member(origin) as member,
        protecting(folder, member, mode="detect", files=files, masked=[]) as waf,
    ):
        yield waf


class Judge:
    """Runs cases one by one: what the audit log has once the connection of a stage is gone, it has of this stage."""

    def __init__(self, waf):
        self._waf = waf
        self._read = 0

    async def failures(self, case):
        """What is wrong with a case, one text for each stage that fails."""
        return [
            f"{case.name}: {problem}"
            for stage in case.stages
            for problem in await self._judged(case.name, stage)
        ]

    async def _judged(self, name, stage):
        status = await self._status(stage.request)
        records = self._records()
        found = {match["rule"] for record in records for match in record["matches"]}
        text = "\n".join(_as_modsecurity(match) for record in records for match in record["matches"])
        if stage.expected - found:
            yield_ids = sorted(found)
            return [f"lacks {sorted(stage.expected - found)}, has {yield_ids}, status {status}"]
        if stage.unexpected & found:
            return [f"has {sorted(stage.unexpected & found)}"]
        wanted = REFUSED_BY_THE_CODEC.get(name, stage.status)
        if wanted is not None and status != wanted:
            return [f"status {status}, expected {wanted}"]
        if stage.log_matches and not re.search(stage.log_matches, text):
            return [f"log lacks {stage.log_matches}: {text}"]
        if stage.log_lacks and re.search(stage.log_lacks, text):
            return [f"log has {stage.log_lacks}"]
        return []

    async def _status(self, request):
        async with self._waf.client() as client:
            await client.send(request)
            try:
                status = (await client.reply(request.partition(b" ")[0].decode("latin-1"))).status
            except ConnectionError:
                status = None
        async with asyncio.timeout(PATIENCE):
            while self._waf.proxy.connections:
                await asyncio.sleep(0)
        return status

    def _records(self):
        """The audit records since the last call."""
        with self._waf.flushed_audit_log().open("rb") as log:
            log.seek(self._read)
            content = log.read()
        self._read += len(content)
        return [json.loads(line) for line in content.splitlines()]


def _as_modsecurity(match):
    """A match as ModSecurity writes it to its log."""
    return f'[id "{match["rule"]}"] [msg "{match["msg"]}"] [data "{match["data"]}"] {match["variable"]}:{match["key"]}'


def cases_of(file):
    """The cases of a file."""
    return list(read_cases(file))
