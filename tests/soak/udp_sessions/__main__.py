"""100,000 UDP sessions in one worker: memory each, and how long work on their table holds up traffic.

`python -m tests.soak.udp_sessions [SESSIONS] [inside|outside]`. It uses addresses of 127.0.0.0/8 only. A worker needs a
descriptor for each session. Without the right to raise the hard limit there are as many sessions as that allows; the
whole number is measured without sockets to members then.
"""

import os
import sys

from tests.soak.udp_sessions.inside import BOUND, inside
from tests.soak.udp_sessions.outside import outside
from tests.soak.udp_sessions.service import FIRST_CORE, allowed


def main(wanted, parts):
    sessions = allowed(wanted)
    if sessions < wanted:
        print(f"the hard limit of descriptors allows {sessions} sessions with sockets in one worker")
    os.sched_setaffinity(0, FIRST_CORE)
    over = []
    runs = [(sessions, True)] if sessions == wanted else [(sessions, True), (wanted, False)]
    for count, sockets in runs:
        if "inside" in parts:
            over += inside(count, sockets=sockets)
        if "outside" in parts:
            outside(count, sockets=sockets)
    if over:
        raise SystemExit(
            f"sessions add more than {BOUND:g} ms to an iteration of the loop: {', '.join(over)}"
        )


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:] if each.isdecimal()]
    named = [each for each in sys.argv[1:] if not each.isdecimal()]
    main(numbers[0] if numbers else 100_000, named or ["inside", "outside"])
