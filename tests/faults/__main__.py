"""The fault suite: `python -m tests.faults [PART OF A NAME ...]`. Real processes; ends by itself; exit code 1 if
anything is wrong."""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from tests.faults import (
    connections_fail,
    hostile_requests,
    hostile_values,
    members_fail,
    nodes_fail,
    processes_fail,
    slow_clients,
    state_file,
)
from tests.faults.setting import Report

SCENARIOS = {
    **members_fail.SCENARIOS,
    **connections_fail.SCENARIOS,
    **nodes_fail.SCENARIOS,
    **processes_fail.SCENARIOS,
    **slow_clients.SCENARIOS,
    **hostile_requests.SCENARIOS,
    **hostile_values.SCENARIOS,
    **state_file.SCENARIOS,
}
HEAD = ("fault", "sent", "failed", "begun", "repeated", "lost", "p99 before", "p99 after", "recovered", "")
FORM = "{:42} {:>6} {:>6} {:>6} {:>8} {:>5} {:>10} {:>10} {:>10}  {}"
LEGEND = """
sent: requests; failed: no complete 200; begun: of those failed, a 200 had begun; repeated: the client sent a GET a
second time because its connection broke before any answer; lost: GETs that failed although nothing had begun;
recovered: from the fault until the last request that failed, was repeated or took over 0.8 s.
"""


def _row(name: str, found: Report) -> str:
    return FORM.format(
        name,
        found.sent,
        found.failed,
        found.begun,
        found.repeated,
        found.lost,
        f"{found.before * 1000:.1f} ms",
        f"{found.after * 1000:.1f} ms",
        f"{found.recovered:.2f} s",
        f"WRONG: {found.wrong}" if found.wrong else found.note,
    )


def main(wanted: list[str]) -> int:
    """Run the scenarios whose names hold one of `wanted`, all by default."""
    folder = Path(tempfile.mkdtemp(prefix="adc-faults-"))
    print(FORM.format(*HEAD))
    wrong = 0
    for number, (name, scenario) in enumerate(SCENARIOS.items()):
        if wanted and not any(part in name for part in wanted):
            continue
        found = asyncio.run(scenario(folder / str(number)))
        if found is None:
            print(f"{name:42} not run: it needs root or a program that is not installed")
            continue
        print(_row(name, found), flush=True)
        wrong += bool(found.wrong)
    print(LEGEND)
    if wrong:
        print(f"{wrong} scenarios went wrong; the logs are in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
