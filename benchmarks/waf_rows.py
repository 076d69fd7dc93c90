"""Rows of the firewall beside libmodsecurity: both run the OWASP CRS in process, on the same requests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from benchmarks.cores import PEER_CORE, on_core
from benchmarks.figures import Figures
from benchmarks.measure import Result, turns
from benchmarks.processes import STOP_LIMIT, StartError, last_lines
from benchmarks.waf_engines import ENGINES, missing

CHECKOUT = Path(__file__).parents[1]
LEVELS = (1, 2, 3, 4)
_TITLES = {"get": "browser GET", "form": "form POST of 1 KB", "json": "JSON POST of 10 KB"}


@dataclass(frozen=True)
class WafRow:
    """One kind of request with the rules up to a paranoia level; ratios are taken to libmodsecurity."""

    case: str
    level: int
    primary: str = "cpu_us"
    base: str = "libmodsecurity"

    @property
    def name(self) -> str:
        return f"waf-{self.case}-{self.level}"

    @property
    def title(self) -> str:
        return f"Firewall engine, OWASP CRS at paranoia level {self.level}, {_TITLES[self.case]}"


WAF_ROWS: dict[str, WafRow] = {
    row.name: row for row in (WafRow(case, level) for level in LEVELS for case in _TITLES)
}


class EngineProcess:
    """An engine in its own process on the core of the peers. Raises StartError if it ends."""

    def __init__(self, engine: str, level: int, cache: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.waf_process", engine, str(level), str(cache)]
        self._popen = subprocess.Popen(
            on_core(PEER_CORE, command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=CHECKOUT,
            text=True,
        )
        self.loaded = self._read()

    def measure(self, case: str, seconds: float) -> Figures:
        """Run requests of the kind `case` for `seconds`."""
        assert self._popen.stdin is not None
        try:
            print(case, seconds, file=self._popen.stdin, flush=True)
        except OSError as error:
            raise StartError(str(error)) from error
        return self._read()

    def stop(self) -> None:
        """Close its input, on which it ends; kill it otherwise."""
        try:
            self._popen.communicate(timeout=STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.communicate()

    def _read(self) -> Figures:
        assert self._popen.stdout is not None
        line = self._popen.stdout.readline()
        if not line:
            _, written = self._popen.communicate()
            raise StartError(last_lines(written) or "it said nothing")
        figures: Figures = json.loads(line)
        return figures


def run_waf_rows(
    rows: Iterable[WafRow],
    engines: Iterable[str],
    seconds: float,
    rounds: int,
    cache: Path,
    say: Callable[[str], None],
) -> list[Result]:
    """Measure the rows, those of one level with the same processes. Engines that fail are reported, not raised."""
    results = []
    wanted = [engine for engine in ENGINES if engine in set(engines)]
    for level, of_level in groupby(rows, key=lambda row: row.level):
        with ExitStack() as stack:
            running, skipped = _start(wanted, level, cache, stack, say)
            for row in of_level:
                result = Result(row, skipped=dict(skipped))
                results.append(result)
                for number, turn in enumerate(turns(running, rounds), 1):
                    for engine in turn:
                        say(f"{row.name}: round {number} of {rounds}, {engine}")
                        _measure(result, engine, running[engine], row.case, seconds)
    return results


def _start(
    engines: Iterable[str], level: int, cache: Path, stack: ExitStack, say: Callable[[str], None]
) -> tuple[dict[str, EngineProcess], dict[str, str]]:
    """Start each engine a second time, when what it keeps on disk is there."""
    running: dict[str, EngineProcess] = {}
    skipped = {engine: why for engine in engines if (why := missing(engine))}
    for engine in engines:
        if engine in skipped:
            continue
        say(f"level {level}: {engine} loads the rules")
        try:
            EngineProcess(engine, level, cache).stop()
            running[engine] = EngineProcess(engine, level, cache)
            stack.callback(running[engine].stop)
        except StartError as error:
            skipped[engine] = str(error)
    return running, skipped


def _measure(result: Result, engine: str, process: EngineProcess, case: str, seconds: float) -> None:
    if engine in result.skipped:
        return
    try:
        figures = process.measure(case, seconds)
    except StartError as error:
        result.skip(engine, str(error))
    else:
        result.rounds.setdefault(engine, []).append({**process.loaded, **figures})
