"""All operations, found in the modules of their folder."""

import pytest

from adc.runtime.errors import BuildError
from adc.runtime.operations.operation import NodeOperation, Nothing, Operation, Scope
from adc.runtime.operations.registry import all_operations, operation_named


def test_every_operation_has_one_name_and_paths_do_not_collide():
    operations = all_operations()
    assert {
        "members.list",
        "members.set",
        "health.report",
        "cache.stats",
        "cache.purge",
        "cache.why",
        "sessions.list",
        "sessions.drop",
        "connections",
        "logs.reopen",
        "state.status",
        "acme.challenges",
    } <= operations.keys()
    places = [(each.method, each.path) for each in operations.values() if each.path]
    assert len(set(places)) == len(places)


def test_only_operations_of_the_node_run_in_no_worker():
    for name, operation in all_operations().items():
        assert isinstance(operation, NodeOperation) == (operation.scope is Scope.NODE), name
    with pytest.raises(BuildError, match=r"^cache\.purge runs in no worker$"):
        operation_named("cache.purge").run(None, None)


def test_operation_says_what_a_worker_does():
    class Idle(Operation[Nothing, Nothing]):
        name = "idle"

    with pytest.raises(TypeError, match="run"):
        Idle()


def test_unknown_operation_is_refused_with_those_known():
    with pytest.raises(BuildError, match=r"unknown operation x; known: acme\.challenges, cache\.purge"):
        operation_named("x")
