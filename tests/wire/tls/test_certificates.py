"""Certificates over time: changed files, reloads, expiry, what cannot be used."""

import asyncio
import os
from pathlib import Path
from random import Random

import pytest
import yaml

from adc.config.loading import load
from adc.runtime.assembly.runtime import build_runtime
from adc.runtime.errors import BuildError
from adc.runtime.steps import at_once
from tests.kit.authority import tls_client
from tests.kit.client import get
from tests.kit.member import OK, Member
from tests.kit.proxy import config, serving
from tests.kit.waiting import eventually
from tests.wire.tls.terminating import client_of, terminating


async def test_changed_certificate_is_used_and_open_connections_stay(tmp_path, authority, member):
    pair = authority.issue("a.test", file="live")
    async with terminating(tmp_path, member, [pair]) as proxy:
        old = await tls_client(proxy.port, authority.context())
        held = proxy.listener.tls
        authority.issue("a.test", "new.test", file="live")
        proxy.pass_time(2)
        proxy.pass_time(4)
        await eventually(lambda: proxy.listener.tls is not held)
        async with client_of(proxy, authority.context(), "new.test"):
            pass
        assert (await old.ask(get(host="a.test"))).status == 200
        old.close()


def overwrite(file, text):
    Path(file).write_text(text)


async def test_broken_new_certificate_keeps_the_old_one_and_says_why(tmp_path, authority, member):
    pair = authority.issue("a.test", file="broken")
    async with terminating(tmp_path, member, [pair]) as proxy:
        overwrite(pair["certificate"], "no certificate")
        for seconds in (2, 4):
            proxy.pass_time(seconds)
        await eventually(lambda: "certificates_not_reloaded" in proxy.error_log())
        assert pair["certificate"] in proxy.error_log()
        async with client_of(proxy, authority.context()) as client:
            assert (await client.ask(get(host="a.test"))).status == 200


async def test_reload_turns_tls_on_and_off_on_the_same_socket(tmp_path, authority, member):
    plain = config(member.address)
    secure = config(member.address, listener={"tls": {"certificates": [authority.issue("a.test")]}})

    async def reload(proxy, mapping):
        file = tmp_path / "next.yaml"
        file.write_text(yaml.safe_dump(mapping))
        await proxy.worker.prepare(
            load(file).config, {"web": list(proxy.worker.listeners["web"]._accepting._acceptors)}
        )
        proxy.worker.commit()

    async with serving(tmp_path, plain) as proxy, proxy.client() as before:
        assert (await before.ask(get())).status == 200
        await reload(proxy, secure)
        assert await before.closed()
        async with client_of(proxy, authority.context()) as client:
            assert (await client.ask(get(host="a.test"))).status == 200
        await reload(proxy, plain)
        async with proxy.client() as client:
            assert (await client.ask(get())).status == 200
    assert [request[b"x-forwarded-proto"] for request in member.requests] == [b"http", b"https", b"http"]


async def test_reload_that_turns_tls_on_ends_plain_connections_after_their_response(tmp_path, authority):
    release = asyncio.Event()

    async def held(conversation):
        while True:
            await conversation.request()
            await release.wait()
            await conversation.send(OK)

    tls = {"certificates": [authority.issue("a.test")]}
    async with (
        Member(held) as member,
        serving(tmp_path, config(member.address)) as proxy,
        proxy.client() as busy,
        proxy.client() as idle,
    ):
        await busy.send(get())
        await eventually(lambda: member.requests and len(proxy.connections) == 2)
        await proxy.change(lambda settings: settings["listeners"][0].update(tls=tls))
        release.set()
        await idle.send(get())
        for client in (busy, idle):
            reply = await client.reply()
            assert (reply.status, reply[b"connection"]) == (200, b"close")
            assert await client.closed()


async def test_expiry_is_a_metric(tmp_path, authority, member):
    async with terminating(tmp_path, member, [authority.issue("a.test")]) as proxy:
        (sample,) = [
            sample for sample in proxy.worker.samples() if sample.name == "adc_tls_certificate_expiry_seconds"
        ]
    assert sample.labels == ("web", "a.test")
    assert sample.value > 1.7e9


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda pair: os.unlink(pair["certificate"]), r"certificate .*spoilt\.crt: No such file"),
        (lambda pair: os.unlink(pair["key"]), r"spoilt\.key: .*No such file"),
        (lambda pair: pair.update(key=pair["other"]), r"key .*other\.key: it is not the key"),
        (lambda pair: pair.update(certificate=pair["key"]), r"certificate .*spoilt\.key"),
    ],
)
def test_certificate_that_cannot_be_used_is_told_before_anything_changes(tmp_path, authority, spoil, told):
    pair = authority.issue("a.test", file="spoilt")
    pair["other"] = authority.issue("a.test", file="other")["key"]
    spoil(pair)
    certificates = [{"certificate": pair["certificate"], "key": pair["key"]}]
    file = tmp_path / "adc.yaml"
    file.write_text(yaml.safe_dump(config("127.0.0.1:1", listener={"tls": {"certificates": certificates}})))
    with pytest.raises(BuildError, match=f"listener web: .*{told}"):
        at_once(build_runtime(load(file).config, Random(0)))
