"""The user that workers become, and what must belong to it.

The supervisor stays root, as nginx's master does, so that a reload can bind low ports; workers give all rights up
before they compile a configuration. Nothing is written as root where that user may write: it could have put a link
there.
"""

from __future__ import annotations

import ctypes
import grp
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from adc.control.calls import CallRefused
from adc.runtime.assembly.folder import state_folder
from adc.runtime.assembly.tls import acme_file

if TYPE_CHECKING:
    from adc.config import Config

_PR_SET_DUMPABLE = 4


@dataclass(frozen=True, slots=True)
class Identity:
    """A user by name and number, and the number of the group that its processes belong to."""

    name: str
    uid: int
    gid: int


def identity_of(config: Config) -> Identity | None:
    """Return the user that workers become, None if they stay what they are.

    Raises CallRefused for a user or group that does not exist, or that this process may not become.
    """
    if config.user is None:
        return None
    try:
        user = pwd.getpwnam(config.user)
        gid = user.pw_gid if config.group is None else grp.getgrnam(config.group).gr_gid
    except KeyError:
        key, name = ("group", config.group) if _exists(config.user) else ("user", config.user)
        raise CallRefused(f"{key}: there is no {key} {name} on this machine") from None
    if os.geteuid() == 0:
        return Identity(config.user, user.pw_uid, gid)
    if (user.pw_uid, gid) != (os.geteuid(), os.getegid()):
        raise CallRefused(f"user: only root can become {config.user}; start adc as root, or remove the key")
    return None


def _exists(user: str) -> bool:
    with suppress(KeyError):
        return bool(pwd.getpwnam(user))
    return False


def drop(identity: Identity) -> None:
    """Become that user for good. Raises OSError."""
    os.initgroups(identity.name, identity.gid)
    os.setgid(identity.gid)
    os.setuid(identity.uid)
    # A process that changed its user cannot read its own /proc/self/fd, by which open descriptors are counted.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)


@contextmanager
def acting_as(identity: Identity | None) -> Iterator[None]:
    """Look at the file system as that user for a moment."""
    if identity is None:
        yield
        return
    gid, groups = os.getegid(), os.getgroups()
    os.setgroups(os.getgrouplist(identity.name, identity.gid))
    os.setegid(identity.gid)
    os.seteuid(identity.uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)


def provide(config: Config, identity: Identity) -> None:
    """Make the folders and log files that workers need, for their user. Raises CallRefused."""
    for folder in _folders(config, identity):
        _make_folder(folder, identity)
    session_log = "" if config.sessions.log is None else config.sessions.log.path
    for path in (config.access_log.path, config.error_log.path, session_log):
        if path.startswith("/") and not path.startswith("/dev/"):
            _make_log(Path(path), identity)
    for listener in config.listeners:
        if listener.tls is not None and listener.tls.acme is not None:
            give_certificate(acme_file(config, listener.tls.acme), identity)


def _folders(config: Config, identity: Identity) -> list[Path]:
    with acting_as(identity):  # the default one is named for the user
        state = state_folder(config)
    return [state, *(Path(store.disk.path) for store in config.caches.values() if store.disk is not None)]


def _make_folder(folder: Path, identity: Identity) -> None:
    try:
        with acting_as(identity):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except PermissionError:
        try:
            folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            os.mkdir(folder, 0o700)
            os.chown(folder, identity.uid, identity.gid, follow_symlinks=False)
        except OSError as error:
            raise CallRefused(f"{folder}: {error.strerror}") from error
    except OSError as error:
        raise CallRefused(f"{folder}: {error.strerror}") from error


def _make_log(path: Path, identity: Identity) -> None:
    """Make a log file that the user may append to; one that a rotation created as root gets the user as owner."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with acting_as(identity):
            os.close(os.open(path, flags, 0o640))
    except PermissionError:
        try:
            _give_log(os.open(path, flags | os.O_NOFOLLOW, 0o640), identity)
        except OSError as error:
            raise CallRefused(f"log {path}: {error.strerror}") from error
    except OSError as error:
        raise CallRefused(f"log {path}: {error.strerror}") from error


def _give_log(descriptor: int, identity: Identity) -> None:
    try:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == 0:
            os.fchown(descriptor, identity.uid, identity.gid)
    finally:
        os.close(descriptor)


def give_certificate(file: Path, identity: Identity) -> None:
    """Let the user read a certificate that the supervisor obtained; the key of the account stays root's."""
    with suppress(OSError):
        os.chown(file.parent, -1, identity.gid, follow_symlinks=False)
        os.chmod(file.parent, 0o750)
        os.chown(file, -1, identity.gid, follow_symlinks=False)
        os.chmod(file, 0o640)
