"""The action of a route that serves files."""

from __future__ import annotations

import errno
import os
from typing import Final

from adc.compression.eligibility import ACCEPT_ENCODING, client_accepts
from adc.files.answer import SELECTING, answer
from adc.files.candidates import Candidates
from adc.files.listing import listing
from adc.files.names import file_name, folder_location, is_hidden
from adc.http.headers import Headers, Pair
from adc.http.message import Request, Response
from adc.http.target import BadTarget, normalise_path
from adc.net.clock import Clock
from adc.proxy.files.finder import ABSENT, Finder, Found, Kind
from adc.proxy.files.open_files import OpenFiles, Shelf
from adc.proxy.files.root import Descriptor, Root, entries
from adc.proxy.files.sending import FileSending
from adc.proxy.files.served import Content, FileReader, ServedFile
from adc.proxy.replies import Replies, wants_json
from adc.proxy.upstream.request import UpstreamRequest

_NO_LINES: Final[tuple[Pair, ...]] = ()
_ALLOW: Final[tuple[Pair, ...]] = ((b"Allow", b"GET, HEAD"),)
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM})
_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN})


class FileOptions:
    """`index` are the files that stand for their folder, `candidates` what is tried for a path. `quick`: neither a
    cache nor a plugin comes before the action; `rewritten`: the route changes paths."""

    __slots__ = ("candidates", "hidden", "index", "listing", "quick", "rewritten")

    def __init__(
        self,
        index: tuple[bytes, ...],
        candidates: Candidates,
        hidden: bool,
        listing: bool,
        quick: bool,
        rewritten: bool,
    ) -> None:
        self.index = index
        self.candidates = candidates
        self.hidden = hidden
        self.listing = listing
        self.quick = quick
        self.rewritten = rewritten


class ServeFiles:
    """Answers GET and HEAD with the files beneath a folder. `replies` makes the error pages."""

    __slots__ = ("_finder", "_kept", "_options", "_reader", "_replies", "_root", "_shelf")

    def __init__(
        self, root: Root, reader: FileReader, options: FileOptions, kept: OpenFiles, replies: Replies
    ) -> None:
        self._root = root
        self._reader = reader
        self._options = options
        self._finder = Finder(options.candidates.tried, options.index, options.listing)
        self._kept = kept
        self._replies = replies
        self._shelf: Shelf = {}

    def __call__(self, upstream: UpstreamRequest) -> None:
        request, options = upstream.request, self._options
        if options.quick and not options.rewritten and request.plain and request.method == "GET":
            served = self._shelf.get(request.path)
            if (
                served is not None
                and (not request.selecting or SELECTING.isdisjoint(request.proxy_fields))
                and self._is_fresh(served, upstream.context.clock.now)
            ):
                self._send_whole(upstream, self._chosen(request, served))
                return
        self._answer(upstream)

    def _chosen(self, request: Request, served: ServedFile) -> Content:
        if not served.coded:
            return served.plain
        accepted = client_accepts(request) if self._options.quick else request.headers.joined(ACCEPT_ENCODING)
        return served.chosen(accepted)

    def _send_whole(self, upstream: UpstreamRequest, content: Content) -> None:
        shown, data = content.shown, content.data
        if data is not None and upstream.respond_shared(content.head, data):
            return
        response = Response(200, Headers(shown.lines), b"", shown.length)
        if data is not None:
            upstream.respond(response, data, True)
        else:
            FileSending(upstream, content, shown.whole).begin(response)

    def _answer(self, upstream: UpstreamRequest) -> None:
        request = upstream.request
        if request.method != "GET" and request.method != "HEAD":
            self._error(upstream, 405, _ALLOW)
            return
        try:
            path = _path(upstream)
        except BadTarget:
            self._error(upstream, 400)
            return
        try:
            self._find(upstream, path)
        except OSError as error:
            self._failed(upstream, error)

    # The file of a path.

    def _find(self, upstream: UpstreamRequest, path: str) -> None:
        """Answer with what `path` names. Raises OSError."""
        name = file_name(path)
        if name is not None and is_hidden(name) and not self._options.hidden:
            self._error(upstream, 404)
            return
        clock = upstream.context.clock
        served = self._shelf.get(path)
        if served is not None and self._is_fresh(served, clock.now):
            self._send(upstream, self._chosen(upstream.request, served))
            return
        folder = self._root.folder(clock.now)
        found = self._finder.find(folder, path, name)
        if found is None:
            self._error(upstream, self._options.candidates.status)
        elif found.kind is Kind.FILE:
            served = self._served(folder, found, clock)
            served.direct = self._finder.path_first and found.name == name
            self._send(upstream, self._chosen(upstream.request, served))
        else:
            self._folder_itself(upstream, folder, found)

    def _is_fresh(self, served: ServedFile, now: float) -> bool:
        """True if a kept file is what its path names, as of at most a second ago. If it is due for a look and `direct`,
        one look replaces a search and a comparison."""
        if now < served.look_at:
            return True
        if not served.direct:
            return False
        try:
            current = self._is_current(self._root.folder(now), served, now)
        except OSError:
            return False
        if current:
            self._kept.touch(self._shelf, served.key)
        return current

    def _served(self, folder: Descriptor, found: Found, clock: Clock) -> ServedFile:
        """Return the file that was found, as it is kept if the disk still has it so. Raises OSError."""
        shelf, key = self._shelf, found.key
        served = shelf.get(key)
        if served is not None and served.plain.name == found.name:
            if clock.now < served.look_at:
                return served
            if self._is_current(folder, served, clock.now):
                self._kept.touch(shelf, key)
                return served
        self._kept.drop(shelf, key)
        served = self._reader.load(folder, key, found.name, clock.now, clock.wall)
        self._kept.put(shelf, served)
        return served

    def _is_current(self, folder: Descriptor, served: ServedFile, now: float) -> bool:
        try:
            return self._reader.is_current(folder, served, now)
        except OSError:
            return False

    def _folder_itself(self, upstream: UpstreamRequest, folder: Descriptor, found: Found) -> None:
        """Answer for a folder that is listed, or that was asked for without its slash. Raises OSError."""
        request = upstream.request
        if found.kind is Kind.SLASH:
            location = folder_location(request.path, request.query)
            self._text(upstream, 301, [(b"Location", location)], b"")
        else:
            listed, more = entries(folder, found.name, self._options.hidden)
            lines, body = listing(request.path, listed, more, wants_json(request))
            self._text(upstream, 200, lines, body)

    # The response.

    def _send(self, upstream: UpstreamRequest, content: Content) -> None:
        request, shown = upstream.request, content.shown
        boundary = os.urandom(16).hex().encode() if b"range" in request.headers else b""
        made = answer(request.method, request.headers, shown, boundary, upstream.context.clock.wall)
        if made.status >= 400:
            self._error(upstream, made.status, tuple(made.lines))
            return
        response = Response(made.status, Headers(made.lines), b"", made.length)
        if made.status == 304:
            response.selected = Response(200, Headers(shown.lines), b"", shown.length)
        if request.method == "HEAD" or not made.pieces:
            upstream.respond(response, b"", True)
        elif made.status == 200 and content.data is not None:
            upstream.respond(response, content.data, True)
        else:
            FileSending(upstream, content, made.pieces).begin(response)

    def _text(self, upstream: UpstreamRequest, status: int, lines: list[Pair], body: bytes) -> None:
        response = Response(status, Headers(lines), b"", len(body))
        upstream.respond(response, b"" if upstream.request.method == "HEAD" else body, True)

    def _error(self, upstream: UpstreamRequest, status: int, lines: tuple[Pair, ...] = _NO_LINES) -> None:
        request = upstream.request
        response, body = self._replies.error(status, request, upstream.request_id)
        for name, value in lines:
            response.headers.set(name, value)
        upstream.respond(response, b"" if request.method == "HEAD" else body, True)

    def _failed(self, upstream: UpstreamRequest, error: OSError) -> None:
        """Answer a request whose file could not be opened."""
        if error.errno in ABSENT:
            self._error(upstream, 404)
            return
        if error.errno in _FORBIDDEN:
            self._error(upstream, 403)
            return
        upstream.context.error_log.warn("file_failed", path=upstream.request.path, detail=str(error))
        self._error(upstream, 503 if error.errno in _EXHAUSTED else 500)


def _path(upstream: UpstreamRequest) -> str:
    """Return the normalised path that the route asks for. Raises BadTarget."""
    request = upstream.request
    if upstream.target == request.target and request.plain:
        return request.path
    return normalise_path(upstream.target.partition("?")[0])
