"""Which of two stands in for a module: what was compiled of it, or its source."""

import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import adc

ROOT = Path(__file__).parents[2]
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


def test_compiled_modules_are_used(checkout):
    assert "ImportError" in imported(checkout).stderr


def test_the_source_is_used_if_asked_for(checkout):
    assert imported(checkout, ADC_COMPILED="0").stdout == "source\n"


def test_the_source_is_used_once_it_is_newer(checkout):
    changed(checkout / "adc/room/module.py", 20)
    assert imported(checkout).stdout == "source\n"


def test_compiled_file_of_a_removed_module_is_not_used(checkout):
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


SUBCLASSES = """
import ast, importlib, pkgutil, sys
from pathlib import Path
import adc, adc_plugins

assigned = {node.targets[0].id: node.value for node in ast.parse(Path("setup.py").read_text()).body
            if isinstance(node, ast.Assign)}
files = {file for pattern in ast.literal_eval(assigned["HOT"]) for file in Path().glob(pattern)}
hot = {".".join(file.with_suffix("").parts) for file in files if file.name != "__init__.py"}
for package in (adc, adc_plugins):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith(("__main__", "__mypyc")):
            importlib.import_module(module.name)
def open_to_subclasses(module):
    # names of the classes that mypyc lays out so that source may derive from them
    classes = [each for each in ast.parse(Path(module.replace(".", "/") + ".py").read_text()).body
               if isinstance(each, ast.ClassDef)]
    return {each.name for each in classes
            if "mypyc_attr(allow_interpreted_subclasses=True)" in map(ast.unparse, each.decorator_list)}
def is_called(kind):
    return any("__call__" in vars(each) for each in kind.__mro__)
for name in hot:
    for found in vars(sys.modules[name]).values():
        if isinstance(found, type) and found.__module__ == name:
            for derived in found.__subclasses__():
                if derived.__module__ not in hot and found.__name__ not in open_to_subclasses(name):
                    print(derived.__module__, derived.__name__, "of", name, found.__name__)
                elif is_called(derived) and not is_called(found):
                    print(derived.__module__, derived.__name__, "has __call__,", found.__name__, "has not")
print(len(hot) > 80)
"""


def test_subclasses_of_compiled_classes_are_compiled_and_callable_only_if_their_base_is():
    """mypyc gives a callable class another layout than its base has if that is not callable: it crashes."""
    command = [sys.executable, "-c", SUBCLASSES]
    environ = os.environ | {"ADC_COMPILED": "0"}
    found = subprocess.run(
        command, cwd=ROOT, env=environ, check=True, capture_output=True, text=True, timeout=60
    ).stdout
    assert found == "True\n"
