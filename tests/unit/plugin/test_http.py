"""The HTTP client and the keys of a host, in the test kit."""

from __future__ import annotations

from typing import Any

import pytest

from adc.plugin import Host, HttpClient, HttpFailed, NoOptions, Plugin, check_url
from adc.plugin.testkit import Trial


class Asks(Plugin[NoOptions]):
    async def start(self, host: Host) -> None:
        self.client = host.http()
        self.keys = await host.keys("cookie")
        self.others = await host.keys("state")


def client_of(trial: Trial) -> HttpClient:
    plugin: Any = trial.plugin
    found: HttpClient = plugin.client
    return found


async def test_fake_returns_the_reply_of_the_url_and_keeps_the_request() -> None:
    async with Trial(Asks) as trial:
        trial.http.reply("https://id.example/keys", '{"keys": []}', headers={"X-A": "1"})
        reply = await client_of(trial).request("GET", "https://id.example/keys?v=1", [(b"Accept", b"a/b")])
        assert (reply.status, reply.content, reply.headers.get(b"x-a")) == (200, b'{"keys": []}', b"1")
        (sent,) = trial.http.requests
        assert (sent.url, sent.headers.get(b"accept")) == ("https://id.example/keys?v=1", b"a/b")


async def test_fake_without_a_reply_fails_without_naming_more_than_the_host() -> None:
    async with Trial(Asks) as trial:
        with pytest.raises(HttpFailed, match=r"^id\.example: ") as failed:
            await client_of(trial).request("GET", "https://id.example/private?token=x")
        assert "private" not in str(failed.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/x",
        "ftp://a/",
        "http://",
        "http://u:p@a/",
        "http://a/#f",
        "http://a b/",
        "http://a/\r\n",
        "http://a:x/",
        "http://\xe4/",
    ],
)
def test_url_that_no_client_may_request_is_rejected(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        check_url(url)


@pytest.mark.parametrize("field", [(b"X\r\nY", b"1"), (b"X", b"1\r\nY: 2"), (b"", b"1")])
async def test_malformed_field_is_rejected(field: tuple[bytes, bytes]) -> None:
    async with Trial(Asks) as trial:
        with pytest.raises(ValueError, match="malformed"):
            await client_of(trial).request("GET", "http://a/", [field])


async def test_keys_stay_over_reloads_and_differ_by_purpose() -> None:
    trial = Trial(Asks)
    async with trial:
        plugin: Any = trial.plugin
        before, others = tuple(plugin.keys), tuple(plugin.others)
    async with trial:
        plugin = trial.plugin
        assert tuple(plugin.keys) == before
        assert tuple(plugin.keys) != others
        assert [len(key) for key in before] == [32]


async def test_former_secret_of_the_node_still_verifies() -> None:
    trial = Trial(Asks)
    async with trial:
        plugin: Any = trial.plugin
        (before,) = plugin.keys
    trial.change_secret(b"new", b"secret of the node")
    async with trial:
        plugin = trial.plugin
        assert plugin.keys[1:] == (before,)


async def test_keys_change_for_a_running_plugin_when_the_nodes_agree_on_others() -> None:
    trial = Trial(Asks)
    async with trial:
        plugin: Any = trial.plugin
        (before,) = plugin.keys
        trial.change_secret(b"agreed", b"secret of the node")
        assert plugin.keys[1:] == (before,)
        assert plugin.keys[0] != before
