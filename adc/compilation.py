"""Whether the compiled modules that installation may have left beside their source are used.

They are not if `ADC_COMPILED=0`, as for stepping through the source, nor if in a checkout one of them is older than
its source: then none is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType

_PACKAGE = Path(__file__).parent
_LIBRARY = f"compiled__mypyc{EXTENSION_SUFFIXES[0]}"
"""The compiled code; an extension module beside a source file only leads there."""


class _SourceFinder:
    """Finds modules of this package as source, whatever else lies beside it."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is None or not name.startswith("adc."):
            return None
        found = FileFinder(path[0], (SourceFileLoader, [".py"])).find_spec(name)
        if found is None:  # else what was compiled of a source that is gone would be found after us
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return found


def use_source_if_asked() -> None:
    """Import this package as source from now on, if requested."""
    if (_PACKAGE / _LIBRARY).exists() and (os.environ.get("ADC_COMPILED") == "0" or _outdated()):
        sys.meta_path.insert(0, _SourceFinder)


def compiled() -> bool:
    """True if the compiled modules are in use."""
    return (_PACKAGE / _LIBRARY).exists() and _SourceFinder not in sys.meta_path


def _outdated() -> bool:
    """True if a source changed since it was compiled. Only meaningful in a checkout: installation sets all times."""
    if not (_PACKAGE.parent / "setup.py").exists():
        return False
    built = (_PACKAGE / _LIBRARY).stat().st_mtime
    suffix = EXTENSION_SUFFIXES[0]
    return any(
        not (source := module.with_name(module.name.removesuffix(suffix) + ".py")).exists()
        or source.stat().st_mtime > built
        for module in _PACKAGE.glob(f"*/**/*{suffix}")
    )
