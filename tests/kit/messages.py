"""Reading HTTP/1.1 messages in tests: strict, and independent of the code under test."""

import re
from asyncio import IncompleteReadError
from dataclasses import dataclass, field

_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*\Z", re.DOTALL)


@dataclass
class Message:
    """`start` is the first line, `fields` the field lines with names in lower case; `raw` all bytes read."""

    start: bytes
    fields: list[tuple[bytes, bytes]]
    body: bytes = b""
    chunks: list[bytes] = field(default_factory=list)
    trailers: list[tuple[bytes, bytes]] = field(default_factory=list)
    raw: bytes = b""

    def all(self, name):
        return [value for other, value in self.fields if other == name]

    def __getitem__(self, name):
        """The value of the only field called `name`."""
        (value,) = self.all(name)
        return value

    def __contains__(self, name):
        return bool(self.all(name))

    @property
    def status(self):
        version, status = self.start.split(b" ")[:2]
        assert version == b"HTTP/1.1", self.start
        return int(status)

    @property
    def method(self):
        return self.start.split(b" ")[0].decode()

    @property
    def target(self):
        return self.start.split(b" ")[1].decode()


class Source:
    """Bytes of a stream reader, recorded while they are read."""

    def __init__(self, reader, record):
        self._reader = reader
        self._record = record
        self._message = b""

    async def line(self):
        line = await self._reader.readuntil(b"\r\n")
        self._take(line)
        return line[:-2]

    async def exactly(self, count):
        try:
            data = await self._reader.readexactly(count)
        except IncompleteReadError as error:
            self._take(error.partial)
            raise
        self._take(data)
        return data

    async def rest(self):
        parts = []
        while data := await self.some():
            parts.append(data)
        return b"".join(parts)

    async def some(self):
        data = await self._reader.read(1 << 16)
        self._take(data)
        return data

    def taken(self):
        message, self._message = self._message, b""
        return message

    def _take(self, data):
        self._record += data
        self._message += data


async def _fields(source):
    fields = []
    while line := await source.line():
        match = _FIELD.match(line)
        assert match, f"no field line: {line!r}"
        fields.append((match[1].lower(), match[2]))
    return fields


async def _chunked(source, message):
    while size := int(await source.line(), 16):
        message.chunks.append(await source.exactly(size))
        assert await source.exactly(2) == b"\r\n"
    message.body = b"".join(message.chunks)
    message.trailers = await _fields(source)


async def read_head(source):
    start = await source.line()
    return Message(start, await _fields(source))


async def read_request(source):
    """The next request with its content. Raises IncompleteReadError if the stream ends before it does."""
    message = await read_head(source)
    await read_content(source, message)
    message.raw = source.taken()
    return message


async def read_content(source, message):
    if b"transfer-encoding" in message:
        assert message[b"transfer-encoding"] == b"chunked"
        assert b"content-length" not in message
        await _chunked(source, message)
    elif b"content-length" in message:
        message.body = await source.exactly(int(message[b"content-length"]))


async def read_reply(source, method):
    """The next response to `method`, interim ones included."""
    message = await read_head(source)
    status = message.status
    if status >= 200 and status not in (204, 304) and method != "HEAD":
        if b"transfer-encoding" in message or b"content-length" in message:
            await read_content(source, message)
        else:
            message.body = await source.rest()
    message.raw = source.taken()
    return message
