"""The contract's configurations served by a real `adc run`, its members telling what reached them."""

import json
import re
import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.kit.ports import free_port
from tests.wire.service import PATIENCE, ROOT, Service

CONTRACT = ROOT / "tests" / "contract"


def contract(name):
    """The text of a contract file."""
    return (CONTRACT / f"{name}.yaml").read_text()


class _Answers(BaseHTTPRequestHandler):
    """Answers every request with what reached the member, as JSON."""

    protocol_version = "HTTP/1.1"
    server_version = "sample"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and content in one write: a member that is killed has answered wholly or not at all

    def log_message(self, *arguments):
        pass

    def _answer(self):
        length = int(self.headers.get("Content-Length", 0))
        member = self.server.member
        told = {
            "member": member.name,
            "method": self.command,
            "target": self.path,
            "fields": [[name.lower(), value] for name, value in self.headers.items()],
            "body": self.rfile.read(length).decode("latin-1"),
        }
        if "hold" in self.path:
            member.held.release()
            member.go_on.wait(PATIENCE)
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer  # noqa: N815


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def get_request(self):
        connection, address = super().get_request()
        self.connections.append(connection)
        return connection, address

    def handle_error(self, request, client_address):
        pass  # connections are cut when a member is killed


class TellingMember:
    """A member on a port of its own. A request with `hold` in its target waits until `go_on` is set."""

    def __init__(self, name):
        self.name = name
        self.held = threading.Semaphore(0)
        self.go_on = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Answers)
        self._server.member = self
        self._server.connections = []
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def kill(self):
        """Stop listening and cut every connection, as a process that dies."""
        self._server.shutdown()
        self._server.server_close()
        for connection in self._server.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@dataclass
class Answer:
    status: int
    fields: list[tuple[str, str]]
    body: bytes

    def __getitem__(self, name):
        """The value of the only field called `name`."""
        (value,) = [value for other, value in self.fields if other == name]
        return value

    @property
    def names(self):
        return {name for name, _ in self.fields}

    @property
    def told(self):
        """What reached the member that answered."""
        return json.loads(self.body)

    @property
    def member(self):
        return self.told["member"]

    def told_field(self, name):
        """Values of the field `name` that reached the member."""
        return [value for other, value in self.told["fields"] if other == name]


class Connection:
    """One keep-alive connection that sends targets and fields exactly as they are given."""

    def __init__(self, port):
        self._sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._file = self._sock.makefile("rb")

    def ask(self, target, method="GET", host="127.0.0.1", body=b"", **fields):
        self.send(target, method, host, body, **fields)
        return self.answer(method)

    def send(self, target, method="GET", host="127.0.0.1", body=b"", **fields):
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
        self._sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def answer(self, method="GET"):
        line = self._file.readline()
        status = int(line.split()[1])
        fields = []
        while (line := self._file.readline().decode("latin-1").rstrip("\r\n")) != "":
            name, _, value = line.partition(":")
            fields.append((name.lower(), value.strip()))
        length = int(dict(fields).get("content-length", 0)) if method != "HEAD" else 0
        return Answer(status, fields, self._file.read(length))

    def close(self):
        self._file.close()
        self._sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class Served:
    """A contract file served on free ports: `members` by the port they have in the file."""

    def __init__(self, folder: Path, name: str, members: dict[int, str], *, more: str = "", workers: int = 1):
        folder.mkdir(parents=True, exist_ok=True)
        self.members = {port: TellingMember(called) for port, called in members.items()}
        self.service = Service(folder)
        text = contract(name) + more
        if "\nadmin:" not in text:
            text += "\nadmin: {bind: 127.0.0.1:9901}\n"
        ports = {8080: self.service.port, 9901: self.service.admin}
        ports |= {port: member.port for port, member in self.members.items()}
        text = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{ports[int(found[1])]}", text)
        self.service.config.write_text(text)
        self.service.start("--workers", str(workers))
        self.service.manager.settimeout(PATIENCE)
        while b"READY=1" not in self.service.manager.recv(4096):
            pass

    def connect(self):
        return Connection(self.service.port)

    def ask(self, target, *arguments, **fields):
        """One request on a connection of its own."""
        with self.connect() as connection:
            return connection.ask(target, *arguments, **fields)

    def close(self):
        self.service.close()
        for member in self.members.values():
            member.go_on.set()


__all__ = ["Connection", "Served", "TellingMember", "contract", "free_port"]
