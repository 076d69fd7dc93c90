"""A shop that makes every classic mistake, for scanners to find: `python -m tests.kit.vulnerable_app`.

It listens on 127.0.0.1 only, prints its port, and ends when its standard input closes. It runs commands of clients.
"""

import contextlib
import json
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

TABLES = """
CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL);
CREATE TABLE users (name TEXT, password TEXT);
INSERT INTO items VALUES (1, 'Blue shirt', 19.9), (2, 'Red shirt', 21.9), (3, 'Green hat', 9.5);
INSERT INTO users VALUES ('admin', 'hunter2'), ('ann', 'secret');
"""
INDEX = """<h1>Shop</h1><a href="/item?id=1">Item</a> <a href="/search?q=shirt">Search</a>
<a href="/file?name=kit/ports.py">File</a> <a href="/ping?host=127.0.0.1">Ping</a>
<form action="/login" method="post"><input name="user" value="ann"><input name="password" type="password" value="x">
<input type="submit"></form>"""
FOLDER = Path(__file__).parents[1]


class Shop(BaseHTTPRequestHandler):
    """Handles a request by the first part of its path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        address = urlsplit(self.path)
        values = dict(parse_qsl(address.query, keep_blank_values=True))
        pages = {
            "/": self._index,
            "/item": self._item,
            "/search": self._search,
            "/file": self._file,
            "/ping": self._ping,
            "/login": self._login,
            "/api/item": self._item,
            "/visits": self._visits,
        }
        page = pages.get(address.path)
        if page is None:
            self._reply(404, "<h1>Not found</h1>")
            return
        try:
            self._reply(200, page(values))
        except (sqlite3.Error, OSError, ValueError, subprocess.TimeoutExpired) as error:
            self._reply(
                500, f"<h1>Error</h1><pre>{type(error).__module__}.{type(error).__name__}: {error}</pre>"
            )

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        if "json" in self.headers.get("Content-Type", ""):
            with contextlib.suppress(ValueError):
                body = "&".join(f"{name}={_quoted(value)}" for name, value in json.loads(body).items())
        self.path += ("&" if "?" in self.path else "?") + body
        self.do_GET()

    def log_message(self, *_):
        pass

    def _reply(self, status, text):
        content = f"<!DOCTYPE html><html><body>{text}</body></html>".encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _rows(self, statement):
        with self.server.lock:
            return self.server.database.execute(statement).fetchall()

    def _index(self, _):
        return INDEX

    def _item(self, values):
        rows = self._rows(f"SELECT name, price FROM items WHERE id = {values.get('id', '1')}")
        return (
            "<ul>" + "".join(f"<li>{name}: {price}</li>" for name, price in rows) + "</ul>"
            if rows
            else "No such item"
        )

    def _search(self, values):
        words = values.get("q", "")
        rows = self._rows(f"SELECT name FROM items WHERE name LIKE '%{words}%'")
        return f"<p>Found for {words}:</p>" + "".join(f"<li>{name}</li>" for (name,) in rows)

    def _login(self, values):
        name, password = values.get("user", ""), values.get("password", "")
        rows = self._rows(f"SELECT name FROM users WHERE name = '{name}' AND password = '{password}'")
        return f"Hello {rows[0][0]}" if rows else "Wrong name or password"

    def _visits(self, _):
        found = re.search(r"visitor=([^;]*)", self.headers.get("Cookie", ""))
        rows = self._rows(f"SELECT name FROM items WHERE id = {unquote(found[1]) if found else 1}")
        return f"Last seen: {rows[0][0]}" if rows else "Welcome"

    def _file(self, values):
        return (
            "<pre>" + (FOLDER / values.get("name", "kit/ports.py")).read_text("utf-8", "replace") + "</pre>"
        )

    def _ping(self, values):
        host = values.get("host", "127.0.0.1")
        with tempfile.TemporaryDirectory() as folder:  # where commands leave their files
            command = f"echo PING {host}"
            done = subprocess.run(
                command, shell=True, capture_output=True, cwd=folder, timeout=20, check=False
            )
        return "<pre>" + (done.stdout + done.stderr).decode("utf-8", "replace") + "</pre>"


def _quoted(value):
    return str(value).replace("%", "%25").replace("&", "%26").replace("+", "%2B").replace("#", "%23")


def main():
    database = sqlite3.connect(":memory:", check_same_thread=False)
    database.executescript(TABLES)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.daemon_threads = True
    server.database, server.lock = database, threading.Lock()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
