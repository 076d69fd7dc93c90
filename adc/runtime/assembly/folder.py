"""The folder of this node's tables and generated keys, private to its user."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
from hashlib import blake2b
from pathlib import Path

from adc.config import Config
from adc.runtime.errors import BuildError

KEY_BYTES = 32
KEY_FILE = "signing.key"
_IN_MEMORY = Path("/dev/shm")


def state_folder(config: Config) -> Path:
    """Return `state.path`; else in systemd's RUNTIME_DIRECTORY, in memory (/dev/shm) or in the folder of temporary
    files, under a name that depends on the user, the node and the folder of the configuration: the same for
    all workers, after a reload, an upgrade and a restart."""
    if config.state.path is not None:
        return Path(config.state.path)
    digest = blake2b(config.folder.encode(), digest_size=4).hexdigest()
    given = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given) / f"{config.node}-{digest}"
    parent = _IN_MEMORY if _IN_MEMORY.is_dir() else Path(tempfile.gettempdir())
    return parent / f"adc-{os.geteuid()}-{config.node}-{digest}"


def cache_folder(config: Config) -> Path | None:
    """Return the folder of the tiers that workers share of cache stores without `disk`. None if there is one worker, or
    the folder of the node cannot be used: then each worker has separate stores."""
    workers = config.workers if isinstance(config.workers, int) else 1
    if workers < 2 or all(store.disk is not None for store in config.caches.values()):
        return None
    with contextlib.suppress(BuildError):
        return private_folder(state_folder(config)) / "caches"
    return None


def private_folder(folder: Path) -> Path:
    """Make `folder` for this user alone. Raises BuildError if it belongs to another user or is open to others: any
    user may create a folder of that name in a place that is open to all."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
    except OSError as error:
        raise BuildError(f"state.path {folder}: {error.strerror}") from error
    check_private(folder)
    return folder


def check_private(folder: Path) -> None:
    """Raise BuildError if `folder` belongs to another user or is open to others."""
    try:
        found = folder.lstat()
    except OSError as error:
        raise BuildError(f"state.path {folder}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise BuildError(f"state.path {folder} is no folder")
    if found.st_uid != os.geteuid():
        raise BuildError(f"state.path {folder} belongs to user {found.st_uid}; remove it or name another one")
    if found.st_mode & 0o022:
        raise BuildError(f"state.path {folder} can be written by others; chmod it to 0700")


def signing_key(folder: Path) -> bytes:
    """Return the key generated for this node: made by the first worker, the same for all its workers from then on.
    Raises BuildError."""
    path = private_folder(folder) / KEY_FILE
    try:
        if not path.exists():
            _place(path, secrets.token_bytes(KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise BuildError(f"{path}: {error.strerror}") from error
    if len(key) != KEY_BYTES:
        raise BuildError(f"{path} is no key of {KEY_BYTES} bytes; remove it and a new one is made")
    return key


def restore_key(folder: Path, key: bytes) -> None:
    """Write this process's signing key back if its file is missing. Otherwise a worker that starts later would make
    another key and reject the cookies of this one."""
    path = folder / KEY_FILE
    with contextlib.suppress(OSError, BuildError):
        if not path.exists():
            _place(private_folder(folder) / KEY_FILE, key)


def agreed_key(folder: Path, name: str) -> bytes | None:
    """Return the key that the nodes last agreed on as `name`, None if they never did."""
    try:
        key = _agreed_file(folder, name).read_bytes()
    except OSError:
        return None
    return key or None


def keep_agreed_key(folder: Path, name: str, key: bytes) -> None:
    """Keep the key that the nodes agreed on, so that a restart while Redis is away goes on with it. A file that cannot
    be written is left."""
    if agreed_key(folder, name) == key:
        return
    path = _agreed_file(folder, name)
    with contextlib.suppress(OSError, BuildError):
        fd, written = tempfile.mkstemp(dir=private_folder(folder))
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(key)
            os.replace(written, path)
        except OSError:
            os.unlink(written)
            raise


def _agreed_file(folder: Path, name: str) -> Path:
    return folder / f"agreed-{blake2b(name.encode(), digest_size=8).hexdigest()}.key"


def _place(path: Path, key: bytes) -> None:
    """Write the whole file at once, unless another process has done so a moment before."""
    fd, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(key)
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
