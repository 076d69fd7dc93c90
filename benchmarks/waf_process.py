"""`python -m benchmarks.waf_process ENGINE LEVEL CACHE`: runs requests for the benchmark and counts its own CPU time.

Writes one JSON line once the rules are loaded, and one for each line `CASE SECONDS` that it reads.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import cycle
from pathlib import Path

from benchmarks.figures import Figures
from benchmarks.proc import PAGE_BYTES
from benchmarks.waf_cases import ATTACK, CASES
from benchmarks.waf_engines import ENGINES, Run, crs_folder

VARIANTS = 50
_RSS = 1
_SQL_INJECTION = 942100


def measure(run: Run, case: str, seconds: float) -> Figures:
    """Run requests of the kind `case` for `seconds` of CPU time; `matched` counts rules that matched one of them."""
    requests = [CASES[case](number) for number in range(VARIANTS)]
    count = matched = 0
    began = time.process_time()
    spent = 0.0
    for request in cycle(requests):
        matched = max(matched, len(set(run(request))))
        count += 1
        spent = time.process_time() - began
        if spent >= seconds:
            break
    return {"cpu_us": spent / count * 1e6, "rate": count / spent, "matched": matched}


def main(engine: str, level: int, cache: Path) -> None:
    folder = crs_folder()
    if folder is None:
        sys.exit("no OWASP CRS")
    began = time.perf_counter()
    run = ENGINES[engine](folder, level, cache)
    loaded = time.perf_counter() - began
    if _SQL_INJECTION not in run(ATTACK):
        sys.exit("accepts the rules but does not find SQL injection")
    _write({"start_s": loaded})
    for line in sys.stdin:
        case, seconds = line.split()
        _write({**measure(run, case, float(seconds)), "rss_mb": _resident() / 2**20})


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[_RSS]) * PAGE_BYTES


def _write(figures: Figures) -> None:
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
