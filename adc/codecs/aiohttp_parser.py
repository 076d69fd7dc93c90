"""aiohttp's request parser, imported without aiohttp's client and server.

`import aiohttp` loads its client, which reads the certificate authorities of the machine: a third of the start of adc.
With this module `aiohttp` is a package that loads its submodules one by one. It runs its own `__init__` at the first
name that is no submodule, such as `aiohttp.ClientSession` in a plugin.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType

_NAME = "aiohttp"


class _Submodules(ModuleType):
    """The package as long as only submodules of it are in use."""

    def __getattr__(self, name: str) -> object:
        if name == "__version__":  # which its server asks for
            from importlib.metadata import version

            return version(_NAME)
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        if find_spec(f"{_NAME}.{name}") is not None:
            return import_module(f"{_NAME}.{name}")
        _complete(self)
        return getattr(self, name)


def _complete(package: ModuleType) -> None:
    """Turn `package` into the module that `import aiohttp` returns."""
    spec = package.__spec__
    if spec is None or spec.loader is None:
        raise ImportError(f"{_NAME} cannot be imported")
    package.__class__ = ModuleType
    spec.loader.exec_module(package)


def _divide() -> None:
    spec = find_spec(_NAME)
    if spec is not None:
        package = module_from_spec(spec)
        package.__class__ = _Submodules
        sys.modules[_NAME] = package


if _NAME not in sys.modules:
    _divide()

from aiohttp import http_exceptions as http_exceptions  # noqa: E402
from aiohttp.base_protocol import BaseProtocol as BaseProtocol  # noqa: E402
from aiohttp.http_parser import HttpRequestParser as HttpRequestParser  # noqa: E402
