"""Members over several workers, and decisions about them."""

import pytest

from adc.runtime.operations import members
from adc.runtime.operations.members import AdminState, SetMember
from adc.runtime.operations.operation import NotFound
from tests.kit.rows import row


def merge(*tables):
    return members.LIST.merge(dict(enumerate(tables)))


def test_counters_add_up_and_words_stay():
    rows = merge(
        [row(state="up", active=1, requests=2)],
        [row(state="down", active=3, requests=2)],
    )
    assert rows == [row(state="up", active=4, requests=4)]


def test_members_keep_the_order_of_the_first_worker():
    tables = ([row(member="b"), row(member="a")], [row(member="a"), row(member="c")])
    assert [each.member for each in merge(*tables)] == ["b", "a", "c"]


class FakeNode:
    """A node of two workers with one member."""

    shares_state = False

    def __init__(self):
        self.decided = []
        self.applied = []

    async def all(self, operation, request):
        if operation is members.APPLY:
            self.applied.append(request)
            return {0: None, 1: None}
        rows = [row("app", "one", address="127.0.0.1:9001")]
        return {0: rows, 1: rows}

    def decide(self, *decision):
        self.decided.append(decision)


@pytest.mark.parametrize("name", ["one", "127.0.0.1:9001"])
async def test_decision_is_remembered_and_applied_by_the_name_of_the_member(name):
    node = FakeNode()
    wanted = SetMember("app", name, "drain")
    assert await members.SET.coordinate(node, wanted) == wanted
    assert node.decided == [("app", "one", "draining")]
    assert node.applied == [AdminState("app", "one", "draining")]


@pytest.mark.parametrize(("pool", "member"), [("app", "two"), ("other", "one")])
async def test_decision_about_an_unknown_member_is_not_found(pool, member):
    node = FakeNode()
    with pytest.raises(NotFound, match=f"no member {member} in a pool {pool}"):
        await members.SET.coordinate(node, SetMember(pool, member, "drain"))
    assert not node.decided
