"""What all tests have in common."""

import faulthandler
import gc
import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.kit import adc_commands, compiled_rules

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

TEARDOWN_SECONDS = 60


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection():
    """Collect tests without the garbage collector, and leave what that makes out of each collection of theirs.

    To look for garbage in it would take two thirds of a second.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_configure():
    """Have the alarm of a test that hangs print where each thread is, and end the process."""
    faulthandler.register(signal.SIGALRM, file=os.dup(2), chain=True)


def pytest_timeout_set_timer(settings):
    """Set an alarm, which takes microseconds; pytest-timeout starts a thread for each test.

    No exception is raised in the test: it could end another task of the loop.
    """
    signal.setitimer(signal.ITIMER_REAL, settings.timeout)
    return True


def pytest_timeout_cancel_timer():
    signal.setitimer(signal.ITIMER_REAL, 0)
    return True


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node):
    """Set an alarm for the teardown of a failed test, where pytest-timeout cancels the first one."""
    if isinstance(node, pytest.Item) and not node.config.option.usepdb:
        signal.setitimer(signal.ITIMER_REAL, TEARDOWN_SECONDS)


@pytest.fixture(scope="module", autouse=True)
def earlier_modules_frozen():
    """Leave what the tests of other modules keep out of each collection: compiled rules above all.

    Tests of freed objects collect, and walk over all objects, several times each.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def runtime_directory(tmp_path_factory):
    """Where configurations that name no `state.path` keep their tables and keys: not in the machine's memory, which
    no test clears. Processes that tests start inherit it."""
    before = os.environ.get("RUNTIME_DIRECTORY")
    os.environ["RUNTIME_DIRECTORY"] = str(tmp_path_factory.mktemp("runtime"))
    yield
    if before is None:
        del os.environ["RUNTIME_DIRECTORY"]
    else:
        os.environ["RUNTIME_DIRECTORY"] = before


@pytest.fixture(scope="session", autouse=True)
def compiled_rules_folder(tmp_path_factory):
    """Where all testers of this run keep rules of the firewall that one of them has compiled."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    compiled_rules.FOLDER = shared / "compiled-rules"


@pytest.fixture(scope="session", autouse=True)
def commands_end():
    """Wait for the process that `adc` commands are forked from."""
    yield
    adc_commands.end()
