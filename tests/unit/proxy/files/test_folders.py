"""Folders that are kept open for the files in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adc.proxy.files.folders import MOST_FOLDERS, Folders
from adc.proxy.files.root import LOOK_AGAIN, Root


def test_a_folder_is_opened_once_a_second(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "f").write_text("x")
    root, folders = Root(str(tmp_path)).folder(0), Folders()
    first = folders.of(root, b"a", 0.0)
    assert folders.of(root, b"a", LOOK_AGAIN - 0.1) is first
    second = folders.of(root, b"a", LOOK_AGAIN)
    assert second is not first
    assert second.look_at == 2 * LOOK_AGAIN
    assert first.identity(b"f") == second.identity(b"f")


def test_folders_of_another_root_are_others(tmp_path: Path) -> None:
    roots = []
    for name in ("one", "two"):
        (tmp_path / name / "a").mkdir(parents=True)
        (tmp_path / name / "a" / "f").write_text(name)
        roots.append(Root(str(tmp_path / name)).folder(0))
    folders = Folders()
    found = [folders.of(root, b"a", 0.0).identity(b"f") for root in roots]
    assert found[0] != found[1]


def test_no_more_than_a_number_of_folders_is_open(tmp_path: Path) -> None:
    root, folders = Root(str(tmp_path)).folder(0), Folders()
    before = len(os.listdir("/proc/self/fd"))
    for number in range(MOST_FOLDERS + 20):
        (tmp_path / str(number)).mkdir()
        folders.of(root, str(number).encode(), 0.0)
    assert len(os.listdir("/proc/self/fd")) == before + MOST_FOLDERS


def test_links_are_followed_beneath_the_root_alone(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "outside").write_text("x")
    (tmp_path / "site" / "real").write_text("x")
    (tmp_path / "site" / "in").symlink_to("real")
    (tmp_path / "site" / "out").symlink_to("../outside")
    root = Root(str(tmp_path / "site")).folder(0)
    folder = Folders().of(root, b"", 0.0)
    assert folder.identity(b"in") == folder.identity(b"real")
    with pytest.raises(OSError, match=r"."):
        folder.identity(b"out")
