"""Allows and denies clients by their address."""

from __future__ import annotations

import asyncio
from pathlib import Path

from adc_plugins.ip_access.access import Access
from adc_plugins.ip_access.options import Entries, Entry, IpAccessOptions, NetworkFile
from adc_plugins.ip_access.ranges import Ranges, parse_list, parse_network

from adc.plugin import Context, Host, OptionErrors, Plugin, Response

_ALL = ("0.0.0.0/0", "::/0")


class IpAccess(Plugin[IpAccessOptions]):
    """Denies requests of clients whose address no rule allows.

    Lists of networks can be in files, which are read again when they change.
    """

    def __init__(self, options: IpAccessOptions) -> None:
        super().__init__(options)
        _check(options)
        self._ordered = options.ordered()
        allows = any(allowed and entries for allowed, entries in self._ordered)
        self._default = not allows if options.default is None else options.default == "allow"
        self._inline = [
            (allowed, Ranges(map(parse_network, _networks(entries)))) for allowed, entries in self._ordered
        ]
        self._files: dict[Path, Ranges] = {}
        self._by_peer = options.by == "peer"
        self._denied = Response(options.status, error_page=not options.abort, abort=options.abort)

    async def start(self, host: Host) -> None:
        self._refused = host.counter("denied", "Requests denied, or that would be in a dry run.")
        self._size = host.gauge("ranges", "Ranges of addresses in the files.")
        for _, entries in self._ordered:
            for entry in entries:
                if isinstance(entry, NetworkFile) and entry.file not in self._files:
                    host.watch_file(entry.file, lambda path=entry.file: self._load(path))
                    self._files[entry.file] = await asyncio.to_thread(_read, entry.file)
        self._compile()

    async def _load(self, path: Path) -> None:
        self._files[path] = await asyncio.to_thread(_read, path)
        self._compile()

    def _compile(self) -> None:
        rules = []
        for (allowed, entries), (_, inline) in zip(self._ordered, self._inline, strict=True):
            files = [self._files[entry.file] for entry in entries if isinstance(entry, NetworkFile)]
            rules.append((allowed, [inline, *files]))
        self._access = Access(rules, self._default)
        self._size.set(sum(map(len, self._files.values())))

    def request_head(self, context: Context) -> Response | None:
        """Deny the request unless its address is allowed."""
        address = context.request.client.peer if self._by_peer else context.request.source
        if self._access.allows(address):
            return None
        self._refused.add()
        if self.options.dry_run:
            context.warn("the address would be denied", address=address)
            return None
        return self._denied


def _read(path: Path) -> Ranges:
    with path.open(encoding="utf-8") as lines:
        try:
            return Ranges(parse_list(lines))
        except UnicodeDecodeError:
            raise ValueError(f"{path}: the file is not UTF-8") from None
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


def _networks(entries: Entries) -> list[str]:
    written = [entry for entry in entries if isinstance(entry, str)]
    return [network for text in written for network in (_ALL if text == "all" else (text,))]


def _check(options: IpAccessOptions) -> None:
    """Raise OptionErrors with the place of each entry that is no network."""
    places: list[tuple[tuple[str | int, ...], Entry]] = []
    for key in ("allow", "deny"):
        places += [((key, number), entry) for number, entry in enumerate(getattr(options, key))]
        for rank, rule in enumerate(options.rules):
            entries = getattr(rule, key) or ()
            places += [(("rules", rank, key, number), entry) for number, entry in enumerate(entries)]
    findings: list[tuple[tuple[str | int, ...], str]] = []
    for place, entry in places:
        if isinstance(entry, str) and entry != "all":
            try:
                parse_network(entry)
            except ValueError as error:
                findings.append((place, str(error)))
    if findings:
        raise OptionErrors(findings)
