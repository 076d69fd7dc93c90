"""A raw SMTP client, and members that accept mail or answer by a script."""

import asyncio
import contextlib

from tests.kit.proxy import serving
from tests.kit.waiting import PATIENCE

MESSAGE = b"Subject: hello\r\n\r\nbody\r\n"


class MailClient:
    """Sends bytes and reads replies, `(status, lines)`."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port, **options):
        client = cls(*await asyncio.open_connection("127.0.0.1", port, **options))
        client.banner = await client.reply()
        return client

    async def reply(self):
        lines = []
        while True:
            line = await asyncio.wait_for(self.reader.readline(), PATIENCE)
            if not line:
                raise EOFError(f"closed after {lines}")
            assert line.endswith(b"\r\n"), line
            lines.append(line[4:-2].decode())
            if line[3:4] != b"-":
                return int(line[:3]), lines

    async def say(self, line):
        """Send a command and return its status and text."""
        self.writer.write(line.encode("utf-8", "surrogateescape") + b"\r\n")
        status, lines = await self.reply()
        return f"{status} {lines[-1]}"

    async def hello(self):
        self.writer.write(b"EHLO client.test\r\n")
        return await self.reply()

    async def envelope(self, *recipients, sender="a@client.test"):
        await self.hello()
        replies = [await self.say(f"MAIL FROM:<{sender}>")]
        return replies + [await self.say(f"RCPT TO:<{each}>") for each in recipients]

    async def data(self, content=MESSAGE):
        told = await self.say("DATA")
        if not told.startswith("354"):
            return told
        self.writer.write(content + b".\r\n")
        status, lines = await self.reply()
        return f"{status} {lines[-1]}"

    async def send(self, *recipients, content=MESSAGE, **options):
        """Send a whole message; return the reply to it."""
        await self.envelope(*recipients, **options)
        return await self.data(content)

    async def start_tls(self, context, server_hostname="mail.test"):
        told = await self.say("STARTTLS")
        await self.writer.start_tls(context, server_hostname=server_hostname)
        return told

    async def closed(self):
        """What comes before the end of the connection."""
        try:
            return await asyncio.wait_for(self.reader.read(), PATIENCE)
        except ConnectionError:
            return b"reset"

    def close(self):
        self.writer.close()


@contextlib.asynccontextmanager
async def mail_client(port, **options):
    client = await MailClient.connect(port, **options)
    try:
        yield client
    finally:
        client.close()


class MailMember:
    """Accepts mail. `replies` maps beginnings of commands (or `.` for the end of content) to replies that replace the
    usual ones; a callable gets the member and the line. `messages` are `(sender, recipients, content)`; `commands` are
    all lines. `hold` delays the reply to content until it is set.
    """

    def __init__(
        self, replies=None, extensions=("PIPELINING", "8BITMIME", "SIZE 1000000"), tls=None, path=None
    ):
        self.replies = dict(replies or {})
        self.extensions = extensions
        self.tls = tls
        self.messages = []
        self.commands = []
        self.connections = 0
        self.open = set()
        self.streams = []
        self.content = b""
        self.drops = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 22)
        self.port = self._server.sockets[0].getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *error):
        self.stop()
        await self._server.wait_closed()

    def stop(self):
        """Die: no new connections, and the open ones are cut."""
        self._server.close()
        for writer in list(self.open):
            writer.transport.abort()

    async def _serve(self, reader, writer):
        self.connections += 1
        self.open.add(writer)
        self.streams.append((reader, writer))
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def _talk(self, reader, writer):
        sender, recipients = None, []
        await self._answer(writer, "banner", "220 member.test ESMTP")
        while line := await reader.readline():
            command = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
            self.commands.append(command)
            word = command.split(" ")[0].upper()
            if word == "EHLO":
                await self._answer(writer, command, _multiline("member.test", *self.extensions))
            elif word == "MAIL":
                sender, recipients = command, []
                await self._answer(writer, command, "250 2.1.0 Ok")
            elif word == "RCPT":
                if (await self._answer(writer, command, "250 2.1.5 Ok")).startswith("250"):
                    recipients.append(command)
            elif word == "DATA":
                if (await self._answer(writer, command, "354 Go on")).startswith("354"):
                    content = await self._content(reader, writer)
                    told = await self._answer(
                        writer, ".", f"250 2.0.0 Ok: queued as {len(self.messages) + 1}"
                    )
                    if told.startswith("2"):
                        self.messages.append((sender, recipients, content))
            elif word == "STARTTLS" and self.tls is not None:
                await self._answer(writer, command, "220 Ready")
                await writer.start_tls(self.tls)
            elif word == "QUIT":
                await self._answer(writer, command, "221 Bye")
                return
            else:
                await self._answer(writer, command, "250 Ok" if word != "AUTH" else "235 2.7.0 Ok")

    async def _content(self, reader, writer):
        lines = []
        while (line := await reader.readline()) != b".\r\n":
            if not line:
                raise ConnectionResetError
            lines.append(line)
            self.content = line
            if line.strip().decode("latin-1") in self.drops:
                writer.transport.abort()
                raise ConnectionResetError
        return b"".join(lines)

    async def _answer(self, writer, command, usual):
        for beginning, told in self.replies.items():
            if command.upper().startswith(beginning.upper()):
                usual = await told(self, command) if callable(told) else told
                break
        if usual is None:
            writer.transport.abort()
            raise ConnectionResetError
        writer.write(usual.encode() + b"\r\n")
        await writer.drain()
        return usual


def _multiline(*lines):
    return "\r\n".join([f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"])


def mail_config(*members, smtp=None, listener=None, pool=None, **top):
    """A listener `web` for mail, with one route to the pool `app` of `members`."""
    return {
        "node": "adc.test",
        "listeners": [
            {
                "name": "web",
                "bind": "127.0.0.1:0",
                "protocol": "smtp",
                "smtp": {"routes": [{"pool": "app"}], **(smtp or {})},
                **(listener or {}),
            }
        ],
        "pools": {"app": {"members": list(members), **(pool or {})}},
        **top,
    }


def two_pools(one, other, **smtp):
    """A listener that sends mail for example.com to the pool `app` of `one`, the rest to the pool `rest` of `other`."""
    routes = [{"match": {"rcpt_domain": ["example.com"]}, "pool": "app"}, {"pool": "rest"}]
    mapping = mail_config(one.address, smtp={"routes": routes, **smtp})
    mapping["pools"]["rest"] = [other.address]
    return mapping


@contextlib.asynccontextmanager
async def relaying(folder, *members, **options):
    """A worker that relays to `members`, and a client that is connected to it."""
    addresses = [getattr(member, "address", member) for member in members]
    async with (
        serving(folder, mail_config(*addresses, **options)) as proxy,
        mail_client(proxy.port) as client,
    ):
        yield proxy, client


@contextlib.asynccontextmanager
async def relaying_with(folder, mapping):
    """The same for a whole configuration."""
    async with serving(folder, mapping) as proxy, mail_client(proxy.port) as client:
        yield proxy, client


__all__ = [
    "MESSAGE",
    "MailClient",
    "MailMember",
    "mail_client",
    "mail_config",
    "relaying",
    "relaying_with",
    "two_pools",
]
