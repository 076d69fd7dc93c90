"""Work on the session table that must not hold up traffic."""

import time

from tests.soak.udp_sessions.clients import host_of

WATCHED = 10_000
QUIET_SECONDS = 5.0


def quiet(service):
    """Leave the table alone."""
    time.sleep(QUIET_SECONDS)


def list_all(service):
    """List every session."""
    service.pages()


def filter_none(service):
    """Look through all sessions for clients and members that have none."""
    service.pages(client="192.0.2.0/24")
    service.pages(member="192.0.2.1:53")


def watch(service):
    """List the first sessions again and again, as `adc sessions watch` does."""
    for _ in range(3):
        service.pages(WATCHED)


def metrics(service):
    """Scrape the metrics."""
    for _ in range(20):
        service.ask("/metrics")


def reload(service):
    """Reload as it is, with a limit of sources, and without."""
    for limit in (0, 100_000, 0):
        service.reload(per_source=limit)


def kill(service):
    """Kill the sessions of one client address."""
    service.ask("/api/v1/flows", "DELETE", client=host_of(0))


def list_ended(service):
    """List the sessions that have ended lately."""
    for _ in range(5):
        service.pages(ended="true")


def expire(service):
    """Let all sessions expire at once."""
    service.reload(idle="1s")
    service.forget()
    service.until(lambda: service.sessions() == 0, 0.5)


ACTIONS = (quiet, list_all, filter_none, watch, metrics, reload, kill, list_ended, expire)
"""In this order: the last ones end sessions."""
