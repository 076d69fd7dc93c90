"""Which of two stands in for a module: what was compiled of it, or its source."""

import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import adc

SUFFIX = EXTENSION_SUFFIXES[0]


@pytest.fixture
def checkout(tmp_path):
    """A package of one module with a compiled one beside it, which cannot really be loaded."""
    package = tmp_path / "adc"
    (package / "room").mkdir(parents=True)
    for name in ("__init__.py", "compilation.py"):
        shutil.copy(Path(adc.__file__).with_name(name), package / name)
    (package / "room/module.py").write_text("print('source')")
    (tmp_path / "setup.py").touch()
    for name in ("compiled__mypyc", "room/module"):
        (package / f"{name}{SUFFIX}").touch()
    changed(package / "room/module.py", -10)
    return tmp_path


def changed(file, seconds):
    """Let `file` have been written `seconds` after now."""
    at = file.stat().st_mtime + seconds
    os.utime(file, (at, at))


def imported(folder, **environ):
    """What importing the module says."""
    command = [sys.executable, "-c", "import adc.room.module"]
    environ = {name: value for name, value in os.environ.items() if name != "ADC_COMPILED"} | environ
    return subprocess.run(
        command, cwd=folder, env=environ, check=False, capture_output=True, text=True, timeout=30
    )


def test_what_was_compiled_is_used(checkout):
    assert "ImportError" in imported(checkout).stderr


def test_the_source_is_used_if_asked_for(checkout):
    assert imported(checkout, ADC_COMPILED="0").stdout == "source\n"


def test_the_source_is_used_once_it_is_newer(checkout):
    changed(checkout / "adc/room/module.py", 20)
    assert imported(checkout).stdout == "source\n"


def test_what_was_compiled_of_a_module_that_is_gone_is_not_used(checkout):
    (checkout / "adc/room/module.py").rename(checkout / "adc/room/other.py")
    assert "ModuleNotFoundError" in imported(checkout).stderr


def test_times_say_nothing_once_it_is_installed(checkout):
    (checkout / "setup.py").unlink()
    changed(checkout / "adc/room/module.py", 20)
    assert "ImportError" in imported(checkout).stderr


def test_without_compiled_modules_there_is_the_source(checkout):
    for file in checkout.rglob(f"*{SUFFIX}"):
        file.unlink()
    assert imported(checkout).stdout == "source\n"
