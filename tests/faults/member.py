"""A member as a process of its own: `python -m tests.faults.member HOST PORT NAME`; lines on its input say how it
behaves from then on."""

import asyncio
import socket
import struct
import sys
import threading

import uvloop

BODY = b"x" * 1000
MODES = ("ok", "hang", "garbage", "half-close", "reset", "drip", "error", "forget", "early")
UPLOAD = 1000
"""Bytes of content from which on a request is an upload."""


class Connection(asyncio.Protocol):
    mode = "ok"
    name = b""
    forgotten = 0

    def connection_made(self, transport):
        self._transport = transport
        self._age = Connection.forgotten
        self._seen = b""

    def data_received(self, data):
        if self._age != Connection.forgotten:
            self._reset()
            return
        self._seen += data
        while (end := self._seen.find(b"\r\n\r\n")) >= 0:
            head = self._seen[:end]
            _, found, length = head.lower().partition(b"content-length: ")
            size = end + 4 + (int(length.split(b"\r\n")[0]) if found else 0)
            if self.mode == "early" and size > UPLOAD:
                self._transport.pause_reading()
                self._transport.write(b"HTTP/1.1 401 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
                self._transport.close()
                return
            if len(self._seen) < size:
                return
            self._seen = self._seen[size:]
            checked = head.startswith(b"GET /healthz")
            self._answer("ok" if checked and self.mode != "hang" else self.mode)

    def _answer(self, mode):
        transport = self._transport
        if mode in ("ok", "forget", "early"):
            transport.write(self._response(b"200 OK", BODY))
        elif mode == "error":
            transport.write(self._response(b"500 Broken", b"broken"))
        elif mode == "garbage":
            transport.write(b"\x16\x03\x01 nothing that HTTP knows\r\n\r\n")
        elif mode == "half-close":
            transport.write_eof()
        elif mode == "reset":
            transport.write(self._response(b"200 OK", BODY)[:600])
            asyncio.get_running_loop().call_later(0.01, self._reset)
        elif mode == "drip":
            self._drip(self._response(b"200 OK", BODY))

    def _reset(self):
        sock = self._transport.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _response(self, status, body):
        head = b"HTTP/1.1 %b\r\nX-Member: %b\r\nContent-Length: %d\r\n\r\n"
        return head % (status, self.name, len(body)) + body

    def _drip(self, rest):
        if rest and not self._transport.is_closing():
            self._transport.write(rest[:1])
            asyncio.get_running_loop().call_later(0.1, self._drip, rest[1:])


def _listen_to_input():
    for line in sys.stdin:
        Connection.mode = line.strip()
        Connection.forgotten += Connection.mode == "forget"
        print("now", Connection.mode, flush=True)


async def main(host, port, name):
    Connection.name = name.encode()
    server = await asyncio.get_running_loop().create_server(Connection, host, int(port))
    threading.Thread(target=_listen_to_input, daemon=True).start()
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
