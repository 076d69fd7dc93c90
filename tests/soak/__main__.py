"""The memory suite: `python -m tests.soak [PART OF A NAME ...]`. Real processes; ends by itself; exit code 1 on a
miss."""

import contextlib
import shutil
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from tests.soak.scenarios import SCENARIOS, Scenario
from tests.soak.setting import MAY_KEEP, setting

HEAD = ("scenario", "begin", "most", "end", "kept", "others", "slowest", "took", "")
FORM = "{:30} {:>7} {:>7} {:>7} {:>7} {:>8} {:>8} {:>6}  {}"
LEGEND = f"""
Megabytes resident of all workers together, without mapped files. begin: after a first share of the load, with empty
stores;
end: the same after all of it; kept: what is left of it, at most {MAY_KEEP}. others, slowest: how long another client
waited for an answer of adc itself during the load, median and worst, in milliseconds.
"""


async def measured(scenario: Scenario, folder: Path) -> tuple[str, bool]:
    """Run one scenario; its row, and whether it went wrong."""
    async with setting(folder) as service:
        with contextlib.suppress(AssertionError):
            await scenario.run(service, scenario.warm_up)
        await service.purge()
        begin = await service.settled()
        began = time.monotonic()
        wrong = ""
        async with service.watched():
            try:
                note = await scenario.run(service, 1)
            except AssertionError as error:
                note = wrong = str(error)
        await service.purge()
        end = await service.settled(begin + MAY_KEEP / 2)
        delays = sorted(service.delays) or [0.0]
        if end - begin > MAY_KEEP:
            wrong = f"{end - begin:.0f} MB are kept"
        elif service.most - begin > scenario.most:
            wrong = f"{service.most - begin:.0f} MB more at once, at most {scenario.most:.0f} are allowed"
        row = FORM.format(
            scenario.name,
            *(f"{value:.0f}" for value in (begin, service.most, end, end - begin)),
            f"{delays[len(delays) // 2] * 1000:.1f}",
            f"{delays[-1] * 1000:.0f}",
            f"{time.monotonic() - began:.0f} s",
            f"WRONG: {wrong} ({note})" if wrong else note,
        )
    return row, bool(wrong)


def main(wanted: list[str]) -> int:
    """Run the scenarios whose names hold one of `wanted`, all by default."""
    folder = Path(tempfile.mkdtemp(prefix="adc-soak-"))
    print(FORM.format(*HEAD), flush=True)
    misses = 0
    for number, scenario in enumerate(SCENARIOS):
        if wanted and not any(part in scenario.name for part in wanted):
            continue
        row, wrong = uvloop.run(measured(scenario, folder / str(number)))
        print(row, flush=True)
        misses += wrong
    print(LEGEND)
    if misses:
        print(f"{misses} scenarios missed; the logs are in {folder}")
        return 1
    print("All memory came back.")
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
