"""The folder of the OWASP CRS, test data that lies outside the project."""

from __future__ import annotations

import os
from pathlib import Path


def crs_folder() -> Path | None:
    """Return the folder named by ADC_CRS, or `shared/crs` beside the checkout or above it; None without one."""
    named = os.environ.get("ADC_CRS")
    parents = Path(__file__).resolve().parents[2:]
    candidates = [Path(named)] if named else [parent / "shared" / "crs" for parent in parents]
    return next((folder for folder in candidates if (folder / "rules").is_dir()), None)
