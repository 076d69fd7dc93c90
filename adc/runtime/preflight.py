"""Everything that would keep a worker from serving a configuration here, all at once and with its place.

Nothing is served, nothing stays behind, and no network is asked. The parts are built by the same code that a worker
builds them with; files that a worker would write are only examined.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random

import lmdb

from adc.config import Config
from adc.config.model.tls import ListenerTls
from adc.net.tls import KeyPair, ServerTls, ServerTlsOptions, TlsError, server_context
from adc.proxy.files.root import Root, open_file
from adc.proxy.pages.configured import Pages
from adc.proxy.replies import Replies
from adc.runtime.assembly.files import last_resort
from adc.runtime.assembly.firewall import BadSet, filter_of, read_set, read_sets
from adc.runtime.assembly.firewall_lint import doubtful_rules
from adc.runtime.assembly.folder import KEY_BYTES, KEY_FILE, check_private, state_folder
from adc.runtime.assembly.persistence import needs_keys, needs_store
from adc.runtime.assembly.pools import build_pool
from adc.runtime.assembly.runtime import build_runtime
from adc.runtime.assembly.tls import acme_installed, context_of
from adc.runtime.errors import BuildError
from adc.runtime.preflight_plugins import try_plugins
from adc.runtime.serve.purges import shares_purges
from adc.runtime.serve.state import redis_address
from adc.runtime.steps import at_once
from adc.telemetry.log_file import LogFile

Finding = tuple[tuple[str | int, ...], str]
"""A place in the configuration, and what is wrong there."""


Which = Callable[[Path], bool]
"""True for the files and folders to examine."""


def unwritable(config: Config, which: Which = lambda path: True) -> list[Finding]:
    """Return the files and folders that a worker would write to and cannot."""
    return [*_logs(config, which), *_caches(config, which), *_state(config, which)]


def unbuildable(config: Config) -> tuple[list[Finding], list[Finding]]:
    """Return the parts that cannot be compiled, in no order, and what plugins warn of."""
    plugins = try_plugins(config)
    found = [
        *_listener_tls(config),
        *_member_tls(config),
        *_pools(config),
        *_error_pages(config),
        *_answers(config),
        *_files(config),
        *_mail_users(config),
        *_firewall_sets(config),
        *plugins.findings,
        *_plugin_tables(config, plugins.in_tables),
        *_redis(config),
    ]
    if not found:  # else it would fail of the same
        try:
            at_once(build_runtime(config, Random()))
        except BuildError as error:
            found.append(((), str(error)))
    return found, [*plugins.warnings, *_firewall_doubts(config)]


def _firewall_sets(config: Config) -> Iterator[Finding]:
    for name, each in config.firewall.sets.items() if config.firewall is not None else ():
        if each.file is not None:
            try:
                read_set(each.file)
            except (OSError, BadSet) as error:
                yield ("firewall", "sets", name, "file"), str(error)


def _firewall_doubts(config: Config) -> list[Finding]:
    firewall = config.firewall
    try:
        return (
            []
            if firewall is None
            else [*doubtful_rules(config, firewall, filter_of(firewall, read_sets(firewall)))]
        )
    except (OSError, BadSet):  # reported already
        return []


def _logs(config: Config, which: Which) -> Iterator[Finding]:
    for place, path in _log_paths(config):
        if path in ("off", "-") or not which(Path(path)):
            continue
        new = not os.path.lexists(path)
        try:
            LogFile(path).close()
        except (OSError, ValueError) as error:
            yield place, f"{path} cannot be written: {_words(error)}"
        else:
            if new:
                os.unlink(path)


def _log_paths(config: Config) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield each log's place in the configuration, and its path."""
    yield ("access_log", "path"), config.access_log.path
    yield ("error_log", "path"), config.error_log.path
    if config.sessions.log is not None:
        yield ("sessions", "log", "path"), config.sessions.log.path
    for place, listener in enumerate(config.listeners):
        if listener.smtp is not None and listener.smtp.log is not None:
            yield ("listeners", place, "smtp", "log", "path"), listener.smtp.log.path


def _mail_users(config: Config) -> Iterator[Finding]:
    for place, listener in enumerate(config.listeners):
        auth = listener.smtp.auth if listener.smtp is not None else None
        if auth is not None and auth.file is not None:
            from adc.smtp.passwords import BadUsers, read_users

            try:
                read_users(auth.file)
            except (OSError, ValueError) as error:
                told = str(error) if isinstance(error, BadUsers) else f"{auth.file}: {_words(error)}"
                yield ("listeners", place, "smtp", "auth", "file"), told


def _listener_tls(config: Config) -> Iterator[Finding]:
    for place, listener in enumerate(config.listeners):
        tls = listener.tls
        if tls is None:
            continue
        at = ("listeners", place, "tls")
        for number, each in enumerate(tls.certificates):
            try:
                ServerTls(ServerTlsOptions((KeyPair(each.certificate, each.key),)))
            except TlsError as error:
                yield (*at, "certificates", number), str(error)
        if tls.acme is not None and not acme_installed():
            yield (*at, "acme"), "acme needs a library; run: pip install 'adc[acme]'"
        yield from _server_context(at, tls)


def _server_context(at: tuple[str | int, ...], tls: ListenerTls) -> Iterator[Finding]:
    """Yield what is wrong besides the certificates: each part with the others at their defaults."""
    clients = tls.client_auth
    parts = {
        "ciphers": ServerTlsOptions((), ciphers=tls.ciphers or ""),
        "client_auth": ServerTlsOptions(
            (), client_auth=clients.mode, client_ca=clients.ca or "", client_crl=clients.crl or ""
        ),
    }
    for key, options in parts.items():
        try:
            server_context(options)
        except TlsError as error:
            yield (*at, key), str(error)


def _member_tls(config: Config) -> Iterator[Finding]:
    for name, pool in config.pools.items():
        if pool.tls is not None:
            try:
                context_of(pool.tls)
            except TlsError as error:
                yield ("pools", name, "tls"), str(error)


def _pools(config: Config) -> Iterator[Finding]:
    for name, pool in config.pools.items():
        try:
            build_pool(name, pool, Random())
        except BuildError as error:
            yield ("pools", name, "balance"), str(error)


def _error_pages(config: Config) -> Iterator[Finding]:
    yield from _pages(("error_pages",), config.error_pages)
    for place, route in enumerate(config.routes):
        yield from _pages(("routes", place, "error_pages"), route.error_pages)


def _pages(at: tuple[str | int, ...], pages: Mapping[int | str, str]) -> Iterator[Finding]:
    for status, path in pages.items():
        try:
            Replies(Pages([{str(status): path}]))
        except Exception as error:  # whatever a template of the user's may raise
            yield (*at, str(status)), f"{path}: {_words(error)}"


def _answers(config: Config) -> Iterator[Finding]:
    for place, route in enumerate(config.routes):
        if route.respond is not None and route.respond.file is not None:
            try:
                Path(route.respond.file).read_bytes()
            except OSError as error:
                yield ("routes", place, "respond", "file"), f"{route.respond.file}: {_words(error)}"


def _files(config: Config) -> Iterator[Finding]:
    for place, route in enumerate(config.routes):
        files, at = route.files, ("routes", place, "files")
        if files is None:
            continue
        try:
            folder = Root(files.root).folder(0)
        except OSError as error:
            yield (*at, "root"), f"{files.root}: {_words(error)}"
            continue
        last = last_resort(files)
        if last is not None:
            try:
                open_file(folder, last.name)
            except OSError as error:
                yield (*at, *last.place), f"{last.name.decode()} in {files.root}: {_words(error)}"


def _caches(config: Config, which: Which) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for name, store in config.caches.items():
        if store.disk is None:
            continue
        at, folder = ("caches", name, "disk"), Path(store.disk.path)
        if not which(folder):
            continue
        same = first.setdefault(os.path.realpath(folder), name)
        if same != name:
            yield at, f"{folder} is the folder of caches.{same} already"
        problem = _unusable(folder) or _broken_index(folder / "index")
        if problem:
            yield at, f"{folder} {problem}"


def _broken_index(folder: Path) -> str:
    if folder.exists() and not folder.is_dir():
        return f"cannot be used: {folder.name} in it is no folder"
    if not (folder / "data.mdb").exists():
        return ""
    try:
        lmdb.open(str(folder), readonly=True, lock=False, create=False).close()
    except (lmdb.Error, OSError) as error:
        return f"has a broken index; remove it: {error}"
    return ""


def _state(config: Config, which: Which) -> Iterator[Finding]:
    if _uses_folder(config):
        yield from _folder(config, which)


def _uses_folder(config: Config) -> bool:
    """True if a part other than a plugin keeps something in the folder of the tables."""
    tables = needs_store(config) or shares_purges(config)
    return (tables and config.state.backend != "memory") or needs_keys(config)


def _plugin_tables(config: Config, in_tables: bool) -> Iterator[Finding]:
    """Yield what keeps a worker from using the folder, if it is for plugins alone. One that is missing is made by the
    supervisor, unless that has rights no different from ours."""
    if in_tables and config.state.backend != "memory" and not _uses_folder(config):
        ours = os.geteuid() == os.getuid()
        yield from _folder(config, lambda path: ours or os.path.lexists(path))


def _folder(config: Config, which: Which) -> Iterator[Finding]:
    """Yield what keeps a worker from using the folder of its tables."""
    at = ("state", "path") if config.state.path is not None else ("state",)
    folder = state_folder(config)
    if not which(folder):
        return
    problem = _unusable(folder) or _broken_key(folder / KEY_FILE)
    if problem:
        yield at, f"{folder} {problem}"
    elif folder.exists():
        try:
            check_private(folder)
        except BuildError as error:
            yield at, str(error)


def _redis(config: Config) -> Iterator[Finding]:
    if config.state.backend == "redis":
        from adc.state.redis_client import connect

        try:
            connect(redis_address(config.state), config.state.timeout)
        except ValueError as error:
            yield ("state", "url" if config.state.url else "sentinel"), str(error)


def _broken_key(file: Path) -> str:
    try:
        size = file.stat().st_size
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"has a key that cannot be read: {_words(error)}"
    return "" if size == KEY_BYTES else f"has no key of {KEY_BYTES} bytes in {file.name}; remove it"


def _unusable(folder: Path) -> str:
    """Return why files cannot be made in `folder`, which need not exist yet."""
    try:
        found = folder.stat()
    except FileNotFoundError:
        return _not_makeable(folder)
    except OSError as error:
        return f"cannot be used: {_words(error)}"
    if not stat.S_ISDIR(found.st_mode):
        return "is no folder"
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        return f"cannot be written by user {os.geteuid()}"
    if found.st_uid != os.geteuid() and os.geteuid() != 0:
        return f"belongs to user {found.st_uid}; remove it or name another one"
    return ""


def _not_makeable(folder: Path) -> str:
    if folder.is_symlink():
        return "is a link to nothing"
    above = next(parent for parent in folder.absolute().parents if os.path.lexists(parent))
    if not above.is_dir():
        return f"cannot be made: {above} is no folder"
    if not os.access(above, os.W_OK | os.X_OK, effective_ids=True):
        return f"cannot be made: {above} cannot be written by user {os.geteuid()}"
    return ""


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
