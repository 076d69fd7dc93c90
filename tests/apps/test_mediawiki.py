"""MediaWiki behind a real `adc run` with a cache and cookie stickiness: pages vary by Cookie, and every client has one.

Debian: `apt install --no-install-recommends mediawiki php-cli php-sqlite3 php-mbstring php-xml`."""

import asyncio
import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import aiohttp
import pytest

from tests.apps.application import START, application, installed
from tests.kit.ports import free_port
from tests.wire.service import Service, until

WIKI = Path("/usr/share/mediawiki")
PHP = shutil.which("php")
PAGE = "/index.php/Main_Page"
NAME, PASSWORD = "Editor", "a-password-of-the-test"
CONFIG = """
workers: 2
listeners: [{name: web, bind: "@web"}]
caches: {wiki: {memory: 16MB, disk: {path: "@store", size: 64MB}}}
routes: [{pool: wiki, cache: {store: wiki, purge: {from: [127.0.0.1]}}}]
pools: {wiki: {members: [@members], persistence: {cookie: {timeout: 1h}}}}
admin: {bind: "@admin"}
access_log: off
"""

pytestmark = [
    installed,
    pytest.mark.skipif(
        PHP is None or not (WIKI / "maintenance" / "install.php").exists(),
        reason="needs MediaWiki and PHP with SQLite of Debian",
    ),
    pytest.mark.timeout(180),
]


def install(folder, port):
    """A wiki on SQLite at `port`, which tells the cache there of every edit; returns its settings file."""
    options = {"dbtype": "sqlite", "dbpath": folder, "dbname": "wiki", "confpath": folder, "scriptpath": ""}
    options |= {"server": f"http://127.0.0.1:{port}", "pass": PASSWORD, "lang": "en"}
    words = [f"--{name}={value}" for name, value in options.items()]
    subprocess.run(
        [PHP, WIKI / "maintenance" / "install.php", *words, "Wiki", NAME],
        check=True,
        stdout=subprocess.DEVNULL,
        timeout=START,
        env={**os.environ, "MW_CONFIG_FILE": str(folder / "none.php")},
    )
    settings = folder / "LocalSettings.php"
    with settings.open("a") as file:
        file.write(f"$wgUseCdn = true;\n$wgCdnServers = [ '127.0.0.1:{port}' ];\n$wgCdnMaxAge = 3600;\n")
    return settings


class Wiki:
    """The service in front of the members; `made` counts the pages that clients got from a member, not the cache."""

    def __init__(self, service):
        self.service = service
        self.made = 0
        self._open = contextlib.AsyncExitStack()

    async def client(self):
        """A client with a jar of its own that has its sticky cookie, but no session."""
        jar = aiohttp.CookieJar(unsafe=True)
        base = f"http://127.0.0.1:{self.service.port}"
        session = await self._open.enter_async_context(aiohttp.ClientSession(base, cookie_jar=jar))
        await (await session.get("/api.php?action=query&meta=siteinfo&format=json")).read()
        assert [cookie.key[:11] for cookie in jar] == ["ADCSESSION_"]
        return session

    async def logged_in(self):
        session = await self.client()
        token = await api(session, "GET", action="query", meta="tokens", type="login")
        found = {"lgname": NAME, "lgpassword": PASSWORD, "lgtoken": token["query"]["tokens"]["logintoken"]}
        assert (await api(session, "POST", action="login", **found))["login"]["result"] == "Success"
        return session

    async def read(self, session):
        answer = await session.get(PAGE)
        assert answer.status == 200
        self.made += not answer.headers["Cache-Status"].startswith("adc;hit")
        return await answer.text()

    async def shows(self, session, words):
        return words in await self.read(session)

    async def close(self):
        await self._open.aclose()


async def api(session, method, **words):
    words["format"] = "json"
    sent = {"params": words} if method == "GET" else {"data": words}
    return await (await session.request(method, "/api.php", **sent)).json()


@pytest.fixture
async def wiki(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    service = Service(tmp_path)
    settings = await asyncio.to_thread(install, tmp_path, service.port)
    async with contextlib.AsyncExitStack() as members:
        addresses = []
        for folder in folders:
            port = free_port()
            environ = [f"MW_CONFIG_FILE={settings}", "PHP_CLI_SERVER_WORKERS=2"]
            serve = [*environ, PHP, "-S", f"127.0.0.1:{port}", "-t", str(WIKI)]
            await members.enter_async_context(application(folder, "/usr/bin/env", *serve, port=port))
            addresses.append(f"127.0.0.1:{port}")
        text = CONFIG.replace("@members", ", ".join(addresses)).replace("@store", str(tmp_path / "store"))
        service.write(text)
        wiki = Wiki(service)
        try:
            await service.started()
            yield wiki
        finally:
            await wiki.close()
            service.close()


async def test_anonymous_pages_are_shared_although_each_client_has_a_sticky_cookie(wiki):
    clients = [await wiki.client() for _ in range(6)]
    pages = [await wiki.read(client) for client in clients for _ in range(2)]
    assert len(set(pages)) == 1
    assert "MediaWiki has been installed" in pages[0]
    assert wiki.made == 1


async def test_pages_of_a_logged_in_user_are_for_that_user_only(wiki):
    stranger, editor, newcomer = await wiki.client(), await wiki.logged_in(), await wiki.client()
    for _ in range(2):
        assert f"User:{NAME}" not in await wiki.read(stranger)
        assert f"User:{NAME}" in await wiki.read(editor)
        assert f"User:{NAME}" not in await wiki.read(newcomer)
    assert wiki.made == 3  # one for all strangers, and each time for the user


async def test_an_edit_is_seen_by_everybody(wiki):
    readers = [await wiki.client() for _ in range(3)]
    for reader in readers:
        assert "news of today" not in await wiki.read(reader)
    assert wiki.made == 1
    editor = await wiki.logged_in()
    token = (await api(editor, "GET", action="query", meta="tokens"))["query"]["tokens"]["csrftoken"]
    edit = {"title": "Main Page", "appendtext": "\n\nThe news of today.", "token": token}
    assert (await api(editor, "POST", action="edit", **edit))["edit"]["result"] == "Success"
    assert "news of today" in await wiki.read(editor)
    for reader in readers:
        await until(lambda reader=reader: wiki.shows(reader, "news of today"))
    made = wiki.made
    assert len({await wiki.read(reader) for reader in readers}) == 1
    assert wiki.made == made
