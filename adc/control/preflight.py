"""Finds what keeps `adc run` from serving a configuration here: for `adc check`, and for `adc run` after a failure."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, NamedTuple

from adc.config import load
from adc.config.binds import Bound
from adc.config.errors import Path
from adc.config.ports import refusal
from adc.control.addresses import Address
from adc.control.calls import CallRefused
from adc.control.kernel_services import unready
from adc.control.kernel_transaction import refused
from adc.control.privileges import acting_as, identity_of
from adc.control.settings import ADMIN, CLUSTER, DATAGRAMS, addresses_of, admin_tls
from adc.control.sockets import BindError
from adc.launch import command
from adc.runtime.preflight import Finding, unbuildable, unwritable

if TYPE_CHECKING:
    from adc.config import Config, Loaded, Problem
    from adc.config.model.address import Address as Written

_LONGEST_UNIX_PATH = 107
_PATIENCE = 30.0
"""Seconds for a process that looks for what is wrong."""


class Preflight(NamedTuple):
    """Everything that is wrong; what is wrong only if it is not adc itself that serves already: ports in use; what
    plugins warn of."""

    wrong: tuple[Problem, ...]
    taken: tuple[Problem, ...]
    doubtful: tuple[Problem, ...]


def preflight(loaded: Loaded) -> Preflight:
    """Examine everything that a worker would build or write."""
    config = loaded.config
    wrong: list[Finding] = []
    identity = None
    try:
        identity = identity_of(config)
    except CallRefused as error:
        key, _, text = str(error).partition(": ")
        wrong.append(((key,), text))
    try:
        admin_tls(config)
    except CallRefused as error:
        wrong.append((("admin", "tls"), str(error).removeprefix("admin.tls: ")))
    binds, in_use = _binds(loaded)
    wrong += _kernel(config)
    if identity is not None:
        wrong += unwritable(config, _is_provided)
    with acting_as(identity):
        wrong += unwritable(config, lambda path: identity is None or not _is_provided(path))
        unbuilt, doubtful = unbuildable(config)
    warnings = [*doubtful, *unready(config)]
    return Preflight(
        (*binds, *loaded.problems(wrong + unbuilt)), loaded.problems(in_use), loaded.problems(warnings)
    )


def _kernel(config: Config) -> Iterator[Finding]:
    """Yield why the kernel would reject the rules, at the key that needs them."""
    places = [place for place, each in enumerate(config.listeners) if each.datapath.engine == "kernel"]
    at = ("listeners", places[0], "datapath") if places else ("firewall", "engine")
    try:
        reason = refused(config)
    except BindError:
        return  # reported with the addresses
    if reason is not None:
        yield at, reason


def _is_provided(path: FilePath) -> bool:
    """True if the supervisor makes it for the workers' user, or gives it to that user."""
    try:
        found = path.lstat()
    except OSError:
        return True
    return stat.S_ISREG(found.st_mode) and found.st_uid == 0 and found.st_nlink == 1


def _binds(loaded: Loaded) -> tuple[list[Problem], list[Finding]]:
    """Return what is wrong with addresses to listen on, and which addresses are in use now."""
    config, bound = loaded.config, Bound()
    wrong: list[Finding] = []
    clashes: list[Problem] = []
    in_use: list[Finding] = []
    udp = {listener.name for listener in config.listeners if listener.protocol == "udp"} | {DATAGRAMS}
    for owner, path, written in _written(config):
        try:
            found = addresses_of((written,), owner, "udp" if owner in udp else "http")
        except BindError as error:
            wrong.append((path, str(error)))
            continue
        for address in found:
            clash = _clash(bound, owner, path, address)
            if clash is not None:
                clashes.append(loaded.clash(path, f"{written.text} is bound already", clash))
                break
            problem = _unix(address) if address.kind == "unix" else _inet(address)
            if problem is not None:
                (in_use if problem[0] == errno.EADDRINUSE else wrong).append(
                    (path, f"{written.text} {problem[1]}")
                )
                break
    return [*clashes, *loaded.problems(wrong)], in_use


def _written(config: Config) -> Iterator[tuple[str, Path, Written]]:
    for place, listener in enumerate(config.listeners):
        for address in listener.bind:
            yield listener.name, ("listeners", place, "bind", address.place), address
    for number, address in enumerate(config.admin.bind if config.admin is not None else ()):
        yield ADMIN, ("admin", "bind", number), address
    cluster = config.cluster
    if cluster is not None and cluster.on_unknown == "redirect" and cluster.advertise is not None:
        yield CLUSTER, ("cluster", "advertise"), cluster.advertise
    if config.passes_datagrams and cluster is not None and cluster.advertise is not None:
        yield DATAGRAMS, ("cluster", "advertise"), cluster.advertise


def _clash(bound: Bound, owner: str, path: Path, address: Address) -> Path | None:
    """Add an address; return the place of one beside which it cannot be listened on. A listener may name an address
    twice, as names that lead to the same one do."""
    if address.kind == "unix":
        kind, host = "unix", os.path.realpath(address.host)
    else:
        kind, host = f"{address.kind}{6 if ':' in address.host else 4}", address.host
    clash = (
        bound.add(kind, host, address.port, (owner, host, path)) if address.port or kind == "unix" else None
    )
    return None if clash is None or clash[:2] == (owner, host) else clash[2]


def _inet(address: Address) -> tuple[int, str] | None:
    return refusal(address.host, address.port, udp=address.kind == "udp")


def _unix(address: Address) -> tuple[int, str] | None:
    """Return why nothing can listen at the path, with the error number."""
    path = FilePath(address.host)
    if address.host.startswith("@"):
        return None
    if len(os.fsencode(path)) > _LONGEST_UNIX_PATH:
        return errno.ENAMETOOLONG, f"is longer than {_LONGEST_UNIX_PATH} bytes"
    if not path.parent.is_dir():
        return errno.ENOENT, f"cannot be made: {path.parent} is no folder"
    if not os.access(path.parent, os.W_OK | os.X_OK, effective_ids=True):
        return errno.EACCES, f"cannot be made: {path.parent} cannot be written"
    if not os.path.lexists(path):
        return None
    if not stat.S_ISSOCK(path.lstat().st_mode):
        return errno.EEXIST, "is a file that is no socket"
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(str(path)) == 0:
            return errno.EADDRINUSE, "is taken: something listens there already"
    return None


async def reasons(path: FilePath) -> list[str]:
    """Let another process, which acts as the workers' user, say what is wrong with the configuration."""
    process = await asyncio.create_subprocess_exec(
        *command("adc.control.preflight"),
        str(path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return []
    return output.decode(errors="replace").splitlines()


def main(arguments: list[str]) -> None:
    """Run as that process."""
    wrong = preflight(load(arguments[0])).wrong
    for problem in wrong:
        print(problem)
