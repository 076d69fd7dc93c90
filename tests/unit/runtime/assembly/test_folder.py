"""The folder of a node's tables and keys."""

import os

import pytest

from adc.config import load
from adc.runtime.assembly.folder import KEY_BYTES, private_folder, signing_key, state_folder
from adc.runtime.errors import BuildError


def config_in(folder, state=""):
    folder.mkdir(exist_ok=True)
    file = folder / "adc.yaml"
    file.write_text(f"node: n\nlisteners: [{{bind: 127.0.0.1:8080}}]\n{state}")
    return load(file, {}).config


def test_the_folder_is_the_same_for_one_configuration_and_another_for_others(tmp_path, monkeypatch):
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    one, again, other = (config_in(tmp_path / name) for name in ("one", "one", "other"))
    assert state_folder(one) == state_folder(again)
    assert state_folder(one) != state_folder(other)
    assert str(os.geteuid()) in state_folder(one).name


def test_configured_folder_precedes_the_service_managers(tmp_path, monkeypatch):
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path / "run"))
    written = config_in(tmp_path / "one", "state: {backend: local, path: tables}")
    assert state_folder(written) == tmp_path / "one" / "tables"
    assert state_folder(config_in(tmp_path / "two")).parent == tmp_path / "run"


def test_the_key_is_made_once_and_nobody_else_may_read_it(tmp_path):
    folder = tmp_path / "state"
    key = signing_key(folder)
    assert len(key) == KEY_BYTES
    assert signing_key(folder) == key
    assert signing_key(tmp_path / "other") != key
    assert {entry.name for entry in folder.iterdir()} == {"signing.key"}
    assert (folder / "signing.key").stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0


def test_a_damaged_key_is_refused(tmp_path):
    folder = private_folder(tmp_path / "state")
    (folder / "signing.key").write_bytes(b"short")
    with pytest.raises(BuildError, match="remove it"):
        signing_key(folder)


def test_a_folder_that_others_can_write_or_redirect_is_refused(tmp_path):
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path / "open")
    (tmp_path / "file").write_text("")
    for name in ("open", "link", "file"):
        with pytest.raises(BuildError, match=r"state\.path"):
            private_folder(tmp_path / name)
