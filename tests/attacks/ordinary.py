"""10,000 ordinary requests: none is an attack."""

from collections.abc import Iterator
from pathlib import Path

from tests.attacks.setting import Outcome
from tests.kit import modsecurity
from tests.kit.crs import crs_folder
from tests.kit.modsecurity import SETTINGS
from tests.kit.ordinary import traffic
from tests.kit.waf_verdict import Engine

COUNT = 10_000


async def run(_: Path) -> list[Outcome]:
    """Return how many the bundled rules block, and how many the OWASP CRS blocks here and in libmodsecurity."""
    return list(_outcomes())


def _outcomes() -> Iterator[Outcome]:
    rules = Path(__file__).parents[2] / "plugins" / "waf" / "rules" / "core"
    blocked = _blocked(Engine(sorted(rules.glob("*.conf"))))
    yield Outcome("ordinary traffic, rules: core", blocked, COUNT, wrong="blocks" if blocked else "")
    folder = crs_folder()
    if folder is None or not modsecurity.available():
        return
    files = [folder / "crs-setup.conf.example", *sorted((folder / "rules").glob("*.conf"))]
    there = _blocked(modsecurity.Oracle(files))
    here = _blocked(Engine(files, SETTINGS))
    wrong = "more than libmodsecurity" if here > there else ""
    yield Outcome("ordinary traffic, rules: OWASP CRS", here, COUNT, f"libmodsecurity blocks {there}", wrong)


def _blocked(judge: Engine | modsecurity.Oracle) -> int:
    return sum(judge.judge(request).blocked for request in traffic(COUNT))
