"""The attack suite: `python -m tests.attacks [PART OF A NAME ...]`. Tools attack a vulnerable application on 127.0.0.1
with and without the firewall; ordinary requests must pass it. Ends by itself; exit code 1 if anything is wrong."""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from tests.attacks import ordinary, sqlmap, wapiti

SCENARIOS = {"sqlmap": sqlmap.run, "wapiti": wapiti.run, "ordinary": ordinary.run}
FORM = "{:44} {:>6} of {:<6} {}"


def main(wanted: list[str]) -> int:
    """Run the scenarios whose names hold one of `wanted`, all by default."""
    folder = Path(tempfile.mkdtemp(prefix="adc-attacks-"))
    wrong = absent = 0
    for name, scenario in SCENARIOS.items():
        (folder / name).mkdir()
        if wanted and not any(part in name for part in wanted):
            continue
        outcomes = asyncio.run(scenario(folder / name))
        if outcomes is None:
            absent += 1
            print(f"{name}: NOT RUN, it is not installed (apt-get install {name})", flush=True)
            continue
        for outcome in outcomes:
            note = f"WRONG: {outcome.wrong}; {outcome.note}" if outcome.wrong else outcome.note
            print(FORM.format(outcome.name, outcome.found, outcome.tried, note), flush=True)
            wrong += bool(outcome.wrong)
    if absent:
        print(f"{absent} of {len(SCENARIOS)} scenarios did not run", file=sys.stderr)
    if wrong:
        print(f"{wrong} outcomes are wrong; what the tools printed is in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
