"""How long the worker's loop is held by work on the table, measured in the worker."""

from tests.soak.udp_sessions.actions import ACTIONS, reload
from tests.soak.udp_sessions.clients import Echo, open_sessions
from tests.soak.udp_sessions.service import Service

BOUND = 5.0
"""Milliseconds of processor time that sessions may add to an iteration of the loop, while there is no traffic."""


def inside(sessions, *, sockets):
    """Measure with `sessions` sessions in one worker, with or without sockets to members; return what is over the
    bound."""
    print(
        f"{sessions} sessions {'with sockets' if sockets else 'without sockets, uncompiled,'} in one worker"
    )
    echo = Echo()
    service = Service(sessions, echo.port, echo.port, sockets=sockets, watched=True)
    over = []
    try:
        empty = [_measured(service, action) for action in ACTIONS]
        service.reload()
        before = service.resident()
        seconds = open_sessions(service, sessions)
        each = (service.resident() - before) / sessions
        print(f"opened in {seconds:.1f} s; {each:.0f} bytes each")
        print("longest iteration of the loop, ms of the processor:  empty  full  collector  (real time)")
        _report("(opening, with all its traffic)", {"cpu": 0.0}, service.longest())
        for action, base in zip(ACTIONS, empty, strict=True):
            found = _measured(service, action)
            _report(action.__name__, base, found)
            if found["cpu"] - base["cpu"] > BOUND:
                over.append(action.__name__)
    finally:
        service.close()
    return over


def _measured(service, action):
    service.forget()
    action(service)
    found = service.longest()
    return found | {"cpu": found["commit"]} if action is reload else found


def _report(name, base, found):
    figures = f"{base['cpu']:>6.1f} {found['cpu']:>5.1f} {found['gc']:>10.1f} {found['wall']:>12.1f}"
    print(f"  {name:<50} {figures}", flush=True)
