"""The member of the memory suite: `python -m tests.soak.member PORT`. Paths say what it does."""

import asyncio
import gzip
import random
import sys

import brotli
import uvloop
import zstandard

LARGE = 30_000_000
BLOCK = bytes(256 << 10)
TEXT = b"".join(b"<p class=row>line %d of %d</p>\n" % (n, n * n) for n in range(5000))
PAGES = [TEXT[:size] for size in (100, 1000, 5000, 20_000)]
CODED = {
    b"zstd": zstandard.ZstdCompressor(level=3).compress(TEXT),
    b"gzip": gzip.compress(TEXT),
    b"br": brotli.compress(TEXT, quality=4),
}
HOLLOW = gzip.compress(b"") * 12_000
"""240 KB that decode to nothing."""


class Connection(asyncio.Protocol):
    """Answers each request by its path; content of requests is read and forgotten."""

    def connection_made(self, transport):
        self._transport = transport
        self._seen = b""
        self._left = 0
        self._chunked = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._task = None

    def data_received(self, data):
        self._seen += data
        while self._seen:
            if self._chunked:
                if not self._seen.endswith(b"0\r\n\r\n"):
                    self._seen = self._seen[-5:]
                    return
                self._seen, self._chunked = b"", False
                self._answer(b"/page/0")
            elif (end := self._seen.find(b"\r\n\r\n")) >= 0:
                head, self._seen = self._seen[:end], self._seen[end + 4 :]
                self._chunked = b"\r\ntransfer-encoding: chunked" in head.lower()
                if not self._chunked:
                    self._answer(head.split(b" ", 2)[1].partition(b"?")[0])
            else:
                return

    def _answer(self, path):
        if path in (b"/large", b"/download"):
            lines = b"Cache-Control: max-age=1000\r\n" if path == b"/large" else b""
            self._task = asyncio.ensure_future(self._send_large(lines))
        elif path.startswith(b"/vary"):
            self._send(TEXT[:500], b"Cache-Control: max-age=1000\r\nVary: User-Agent\r\n")
        elif path.startswith(b"/coded/"):
            coding = path[7:]
            self._send(CODED[coding], b"Content-Type: text/html\r\nContent-Encoding: %b\r\n" % coding)
        elif path == b"/hollow":
            self._send(HOLLOW, b"Content-Type: text/html\r\nContent-Encoding: gzip\r\n")
        elif path.startswith(b"/cached/"):
            self._send(random.choice(PAGES), b"Cache-Control: max-age=10\r\nContent-Type: text/html\r\n")
        elif path != b"/silent":
            self._send(random.choice(PAGES), b"Content-Type: text/html\r\n")

    def _send(self, body, lines):
        self._transport.write(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (lines, len(body), body))

    async def _send_large(self, lines):
        self._transport.write(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (lines, LARGE))
        for start in range(0, LARGE, len(BLOCK)):
            await self._writable.wait()
            if self._transport.is_closing():
                return
            self._transport.write(BLOCK[: LARGE - start])

    def pause_writing(self):
        self._writable.clear()

    def resume_writing(self):
        self._writable.set()

    def connection_lost(self, exc):
        self._writable.set()


async def main(port):
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", int(port), backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
