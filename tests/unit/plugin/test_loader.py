from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from adc.plugin import loader
from adc.plugin.loader import Catalog, LoadFailed

PLUGIN = """
from adc.plugin import NoOptions, Plugin

class Hello(Plugin[NoOptions]):
    value = {value}
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_single_plugin_is_called_as_its_file(tmp_path: Path) -> None:
    write(tmp_path / "hello.py", PLUGIN.format(value=1))
    catalog = Catalog([tmp_path])
    assert catalog.find("hello").__name__ == "Hello"
    assert catalog.origin("hello") == str(tmp_path / "hello.py")


def test_a_package_may_import_its_own_modules(tmp_path: Path) -> None:
    write(tmp_path / "greet/__init__.py", PLUGIN.format(value="inner.VALUE") + "\nfrom . import inner\n")
    text = (tmp_path / "greet/__init__.py").read_text()
    (tmp_path / "greet/__init__.py").write_text("from . import inner\n" + text)
    write(tmp_path / "greet/inner.py", "VALUE = 7")
    assert Catalog([tmp_path]).find("greet").value == 7  # type: ignore[attr-defined]


def test_each_catalog_imports_afresh_and_keeps_its_own(tmp_path: Path) -> None:
    write(tmp_path / "hello.py", PLUGIN.format(value=1))
    old = Catalog([tmp_path])
    write(tmp_path / "hello.py", PLUGIN.format(value=2))
    new = Catalog([tmp_path])
    values = [catalog.find("hello").value for catalog in (old, new)]  # type: ignore[attr-defined]
    assert values == [1, 2]
    assert not (tmp_path / "__pycache__").exists()


def test_a_closed_catalog_leaves_no_module_behind(tmp_path: Path) -> None:
    write(tmp_path / "hello.py", PLUGIN.format(value=1))
    catalog = Catalog([tmp_path])
    module = catalog.find("hello").__module__
    assert module in sys.modules
    catalog.close()
    assert module not in sys.modules


def test_installed_plugins_are_known_but_not_imported(tmp_path: Path) -> None:
    catalog = Catalog()
    assert "security_headers" in catalog.names()
    assert catalog.find("security_headers").__name__ == "SecurityHeaders"


def test_a_folder_comes_before_an_installed_plugin(tmp_path: Path) -> None:
    write(tmp_path / "security_headers.py", PLUGIN.format(value=1))
    assert Catalog([tmp_path]).find("security_headers").__name__ == "Hello"


def test_an_unknown_plugin_is_told_with_those_that_are_known() -> None:
    with pytest.raises(LoadFailed, match=r"did you mean security_headers\? Known: .*security_headers"):
        Catalog().find("security_header")


def test_files_that_are_no_plugins_are_passed_by(tmp_path: Path) -> None:
    for name in ("_private.py", "test_hello.py", "notes.txt", ".hidden.py", "empty_folder/readme"):
        write(tmp_path / name, "this is no python")
    assert Catalog([tmp_path]).names() == Catalog().names()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("this is no python", r"bad\.py: SyntaxError"),
        ("import no_such_module_here", r"bad\.py: ModuleNotFoundError"),
        ("x = 1", r"bad\.py: has no subclass"),
        (PLUGIN.format(value=1) + PLUGIN.format(value=1).replace("Hello", "Other"), r"Hello has no name"),
    ],
)
def test_a_module_that_cannot_be_used_is_named(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path / "bad.py", text)
    before = set(sys.modules)
    with pytest.raises(LoadFailed, match=message):
        Catalog([tmp_path])
    assert not {name for name in set(sys.modules) - before if name.startswith("adc_plugin_paths")}


def test_the_same_name_in_two_folders_is_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write(tmp_path / folder / "hello.py", PLUGIN.format(value=1))
    with pytest.raises(LoadFailed, match="already"):
        Catalog([tmp_path / "a", tmp_path / "b"])


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LoadFailed, match="not a folder"):
        Catalog([tmp_path / "nowhere"])


def install(folder: Path, name: str) -> None:
    """Install a package with a plugin, as pip does."""
    info = folder / f"{name}-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[adc.plugins]\n{name} = {name}:Hello\n")
    (folder / f"{name}.py").write_text(PLUGIN.format(value=1))


def test_a_plugin_that_is_installed_later_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "first_comer")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Catalog().find("first_comer").__name__ == "Hello"
    os.utime(tmp_path, ns=(1, 1))  # clocks of file systems may stand still between two writes
    assert "late_comer" not in Catalog().names()
    install(tmp_path, "late_comer")
    assert Catalog().find("late_comer").__name__ == "Hello"


def test_installed_plugins_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Catalog().names()
    monkeypatch.setattr(loader, "entry_points", lambda group: pytest.fail("looked for again"))
    assert Catalog().names() == names
