"""Runs a module of this very package in a process of its own.

The process imports nothing from the folder that it is started in: `python -m` would search that folder first, and
anybody who may write there could run code as this service.
"""

from __future__ import annotations

import sys
from importlib import import_module, util
from os import environ, getcwd, path, pathsep

_PACKAGE = path.dirname(path.abspath(__file__))


def command(module: str) -> tuple[str, ...]:
    """Return the command line that calls `main(arguments)` of `module`; append the arguments."""
    return (sys.executable, "-P", path.join(_PACKAGE, "launch.py"), module)


def forget_current_folder() -> None:
    """Import nothing from the current folder from now on, if this process runs adc.

    `python -m adc` puts it first, and an empty item of PYTHONPATH, as in `$PYTHONPATH:/opt/lib`, means it as well.
    """
    program = sys.argv[0] if sys.argv else ""
    if program == "-m" and not sys.flags.safe_path:
        del sys.path[0]
    named = environ.get("PYTHONPATH", "").split(pathsep)
    if program == "-m" or path.basename(program) in ("adc", "launch.py"):
        here = _current_folder()
        unnamed = {"", here} if "" in named and here not in named else {""}
        sys.path[:] = [folder for folder in sys.path if folder not in unnamed]


def _current_folder() -> str:
    """Return the path of the current folder, "" if somebody has removed it."""
    try:
        return getcwd()
    except FileNotFoundError:
        return ""


def _main(module: str, arguments: list[str]) -> None:
    """Use the package around this file, installed or not, then run `module`."""
    spec = util.spec_from_file_location(
        "adc", path.join(_PACKAGE, "__init__.py"), submodule_search_locations=[_PACKAGE]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{_PACKAGE} cannot be imported")
    package = util.module_from_spec(spec)
    sys.modules["adc"] = package
    spec.loader.exec_module(package)
    import_module(module).main(arguments)


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2:])
