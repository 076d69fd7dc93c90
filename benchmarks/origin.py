"""The origin: one nginx worker on the load's core, cheap enough never to be what is measured.

One port per kind of response, so that any path works on each; what comes back varies by path.
"""

from __future__ import annotations

import random
import shutil
import sys
from pathlib import Path
from urllib.request import urlopen

from benchmarks.cores import LOAD_CORE
from benchmarks.processes import Processes, StartError, free_port, greets, returns_datagram

KINDS = ("small", "page", "html", "asset1k", "asset100k", "download", "russian", "inner")
MEMBERS = ("bytes", "datagrams", "mail")
CHECKOUT = Path(__file__).parents[1]
DOWNLOAD_BYTES = 100 * 1000 * 1000
FILES = 100
_BYTES = {"page": 10 * 1024, "html": 50 * 1024, "asset1k": 1024, "asset100k": 100 * 1024}
_VOCABULARY = (
    "account address article basket button catalogue category checkout colour comment company "
    "contact content country currency customer delivery description discount document download email "
    "English family feature filter footer gallery header history image invoice language library "
    "listing location member message mobile network number offer option order organisation password "
    "payment picture policy price privacy product profile promotion quality quantity question rating "
    "reference region register related result review search section service session shipping "
    "shopping size special standard status stock store subject summary support table terms ticket "
    "title update username value version video warranty website window"
)
_WORDS = _VOCABULARY.split()
_RUSSIAN = (
    "адрес безопасность библиотека вопрос время город дело день доставка заказ закон запрос имя история каталог "
    "книга количество компания корзина место новости область оплата описание ответ отзыв отдел пароль письмо "
    "покупатель помощь поиск правило размер раздел район регистрация сервис скидка слово сообщение список страна "
    "страница сумма товар условие услуга форма цена число"
)
_RUSSIAN_WORDS = _RUSSIAN.split()
LARGE_FILES = 8
INNER = "http://intranet/"
"""What pages of the kind `inner` link to, in each tenth link or so."""
_FIELDS = """add_header Cache-Control "{cache_control}";
    add_header X-Content-Type-Options nosniff;
    add_header Strict-Transport-Security "max-age=31536000";"""
_SMALL = """return 200 '{"uri": "$request_uri", "items": [1, 2, 3, 4, 5], "next": "/more", "ok": true}';
      default_type application/json;"""


def html_page(size: int, rng: random.Random) -> str:
    """HTML of `size` ASCII characters that compresses about as far as a shop's listing page does."""
    parts = ["<!doctype html><html lang=en><head><meta charset=utf-8><title>Listing</title></head><body>\n"]
    length = len(parts[0])
    while length < size:
        words = rng.choices(_WORDS, k=rng.randint(6, 18))
        part = (
            f'<div class="card card-{words[0]}" id="item-{rng.getrandbits(32):08x}">'
            f'<a href="/{words[1]}/{words[2]}?id={rng.getrandbits(24)}">{words[3]}</a>'
            f"<p>{' '.join(words[4:])}.</p>"
            f'<span class="price">{rng.randint(100, 99999) / 100:.2f}</span></div>\n'
        )
        parts.append(part)
        length += len(part)
    return "".join(parts)[:size]


def russian_page(size: int, rng: random.Random) -> str:
    """HTML of `size` characters with Russian text, as news and forums have it."""
    parts = [
        "<!doctype html><html lang=ru><head><meta charset=windows-1251><title>Список</title></head><body>\n"
    ]
    length = len(parts[0])
    while length < size:
        words = rng.choices(_RUSSIAN_WORDS, k=rng.randint(12, 40))
        text = " ".join(words[1:])
        part = f'<div class="post" id="p{rng.getrandbits(32):08x}"><b>{words[0]}</b><p>{text}.</p></div>\n'
        parts.append(part)
        length += len(part)
    return "".join(parts)[:size]


def _write_large_files(folder: Path, rng: random.Random) -> None:
    for kind in ("russian", "inner"):
        (folder / kind).mkdir()
    for number in range(LARGE_FILES):
        page = html_page(1 << 20, rng).replace('<a href="/c', f'<a href="{INNER}c')
        (folder / "inner" / f"{number}.html").write_text(page)
        (folder / "russian" / f"{number}.html").write_text(russian_page(1 << 20, rng), "cp1251")


def _write_files(folder: Path) -> None:
    rng = random.Random(1)
    _write_large_files(folder, random.Random(2))
    for kind, size in _BYTES.items():
        (folder / kind).mkdir()
        for number in range(FILES):
            (folder / kind / f"{number:02d}.html").write_text(html_page(size, rng))
    (folder / "download").mkdir()
    with (folder / "download" / "file.bin").open("wb") as file:
        file.truncate(DOWNLOAD_BYTES)


def _server(kind: str, port: int, folder: Path) -> str:
    cache_control = "public, max-age=3600" if kind.startswith("asset") else "private, no-cache"
    if kind == "small":
        body = _SMALL
    elif kind == "download":
        body = f"root {folder}/download; try_files /file.bin =404;"
    elif kind in ("russian", "inner"):
        charset = "windows-1251" if kind == "russian" else "utf-8"
        body = f"root {folder}/{kind}; rewrite ([0-7])$ /$1.html break; rewrite ^ /0.html break;"
        body += f" default_type text/html; charset {charset};"
    else:
        body = f"root {folder}/{kind}; rewrite (\\d\\d)$ /$1.html break; default_type text/html;"
    return f"""
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    {_FIELDS.format(cache_control=cache_control)}
    location / {{
      {body}
    }}
  }}"""


def configuration(folder: Path, ports: dict[str, int], status_port: int) -> str:
    """The origin's nginx.conf."""
    servers = "".join(_server(kind, port, folder) for kind, port in ports.items())
    return f"""
user root;
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid {folder}/origin.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 20000; }}
http {{
  access_log off;
  types {{ text/html html; application/octet-stream bin; }}
  sendfile on;
  tcp_nopush on;
  open_file_cache max=2000 inactive=600s;
  open_file_cache_valid 600s;
  keepalive_timeout 300s;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/body;
  client_max_body_size 0;
  {servers}
  server {{
    listen 127.0.0.1:{status_port};
    location / {{ stub_status; }}
  }}
}}
"""


def parse_requests(status: str) -> int:
    """The count of requests in the text of nginx's stub_status."""
    return int(status.splitlines()[2].split()[2])


class Origin:
    """The running origin; `ports` maps each of KINDS to its port. Raises StartError."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        _write_files(folder)
        self.ports = {kind: free_port() for kind in KINDS}
        self._status_port = free_port()
        path = folder / "nginx.conf"
        path.write_text(configuration(folder, self.ports, self._status_port))
        nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin") or "nginx"
        self._processes = Processes(
            [[nginx, "-c", str(path), "-e", str(folder / "error.log")]], folder, LOAD_CORE
        )
        self._members: list[Processes] = []
        try:
            self._processes.wait_until_serving(self.ports["small"], b"/")
            self._start_members(folder)
        except StartError:
            self.stop()
            raise

    def _start_members(self, folder: Path) -> None:
        """Start the members of the L4 rows, which speak no HTTP. Raises StartError."""
        for kind in MEMBERS:
            port = self.ports[kind] = free_port()
            (folder / kind).mkdir()
            command = [sys.executable, "-m", "benchmarks.members", kind, str(port)]
            command = ["env", f"PYTHONPATH={CHECKOUT}", *command]
            self._members.append(Processes([command], folder / kind, LOAD_CORE))
        self._members[0].wait_until_serving(self.ports["bytes"], b"/")
        self._members[1].wait_until(lambda: returns_datagram(self.ports["datagrams"]))
        self._members[2].wait_until(lambda: greets(self.ports["mail"]))

    def requests(self) -> int:
        """How many requests the origin has had."""
        with urlopen(f"http://127.0.0.1:{self._status_port}/") as answer:
            return parse_requests(answer.read().decode())

    def stop(self) -> None:
        """End the origin's processes."""
        for processes in (self._processes, *self._members):
            processes.stop()
