"""`python -m benchmarks`: run the rows, print the table and the gates, write JSON and SVG."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import certificate, chart, report
from benchmarks.cores import LOAD_CORE, PEER_CORE, raise_descriptor_limit
from benchmarks.gates import judge
from benchmarks.measure import Bench, Result
from benchmarks.origin import Origin
from benchmarks.peers import PEERS
from benchmarks.peers.peer import find
from benchmarks.rows import ROWS
from benchmarks.waf_engines import ENGINES
from benchmarks.waf_rows import WAF_ROWS, run_waf_rows

NAMES = [*ROWS, *WAF_ROWS]
CONTENDERS = list(dict.fromkeys([*PEERS, *ENGINES]))
OUT = Path(__file__).parent / "out"
NEEDED = {
    "wrk": "apt-get install wrk",
    "nginx": "apt-get install nginx-light",
    "openssl": "apt-get install openssl",
}


def _names(allowed: Sequence[str]) -> Any:
    def parse(text: str) -> list[str]:
        names = text.split(",")
        unknown = [name for name in names if name not in allowed]
        if unknown:
            raise argparse.ArgumentTypeError(f"no {', '.join(unknown)}; there are {', '.join(allowed)}")
        return names

    return parse


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line; exits with 2 when it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rows", type=_names(NAMES), default=NAMES, help=", ".join(NAMES))
    parser.add_argument("--peers", type=_names(CONTENDERS), default=CONTENDERS, help=", ".join(CONTENDERS))
    parser.add_argument("--seconds", type=int, default=2, help="length of one run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each peer in each row")
    parser.add_argument("--json", type=Path, default=OUT / "bench.json")
    parser.add_argument("--svg", type=Path, default=OUT / "bench.svg")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    return parser.parse_args(arguments)


def _machine(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "peer_core": PEER_CORE,
        "load_core": LOAD_CORE,
        "load_average": os.getloadavg(),
        "seconds": options.seconds,
        "rounds": options.rounds,
    }


def _say(line: str) -> None:
    print(
        f"\r\x1b[K{line}" if sys.stderr.isatty() else line,
        end="" if sys.stderr.isatty() else "\n",
        file=sys.stderr,
    )


def _run(options: argparse.Namespace) -> list[Result]:
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="adc-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o755)
        origin = Origin(folder / "origin")
        stack.callback(origin.stop)
        bench = Bench(folder, origin, certificate.make(folder), _say)
        results = []
        for row in (ROWS[name] for name in options.rows if name in ROWS):
            labels = [label for label, contender in row.contenders.items() if contender.peer in options.peers]
            results.append(bench.run(row, labels, options.seconds, options.rounds))
        firewalls = [WAF_ROWS[name] for name in options.rows if name in WAF_ROWS]
        results += run_waf_rows(
            firewalls, options.peers, options.seconds, options.rounds, folder / "waf", _say
        )
        return results


def main(arguments: Sequence[str]) -> int:
    """Exit code 1 when a program that the benchmark itself needs is missing."""
    options = parse_arguments(arguments)
    missing = {name: install for name, install in NEEDED.items() if find(name) is None}
    for name, install in missing.items():
        print(f"{name} is not installed: {install}", file=sys.stderr)
    if missing:
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # unwinds, which ends the peers
    raise_descriptor_limit()
    machine = _machine(options)
    results = _run(options)
    _say("")
    verdicts = judge({result.row.name: result.rounds for result in results})
    for path, content in (
        (options.json, json.dumps(report.data(results, verdicts, machine), indent=1) + "\n"),
        (options.svg, chart.svg(results)),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    print(report.text(results, verdicts, as_markdown=options.markdown))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
