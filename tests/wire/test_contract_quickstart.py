"""contract/01-quickstart.yaml behaves as its comments say."""

import concurrent.futures
from itertools import pairwise
from urllib.request import urlopen

import pytest

from tests.wire.contract import Served

MEMBERS = {9001: "first", 9002: "second"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """With both members for good: starting it is what takes time."""
    served = Served(tmp_path_factory.mktemp("whole"), "01-quickstart", MEMBERS)
    yield served
    served.close()


@pytest.fixture
def served(tmp_path):
    """For tests that kill members."""
    served = Served(tmp_path, "01-quickstart", MEMBERS)
    yield served
    served.close()


def test_requests_alternate_between_the_members(whole):
    answered = [whole.ask("/").member for _ in range(6)]
    assert answered in (["first", "second"] * 3, ["second", "first"] * 3)


def test_requests_of_one_connection_alternate_too(whole):
    with whole.connect() as connection:
        answered = [connection.ask("/").member for _ in range(6)]
    assert answered in (["first", "second"] * 3, ["second", "first"] * 3)


def test_several_workers_take_turns_with_each_other(tmp_path):
    served = Served(tmp_path, "01-quickstart", MEMBERS, workers=2)
    try:
        answered = [served.ask("/").member for _ in range(40)]
    finally:
        served.close()
    assert all(one != following for one, following in pairwise(answered))


def test_a_dead_member_is_skipped_without_an_error_to_the_client(served):
    with served.connect() as connection:
        for _ in range(4):  # idle connections to both
            assert connection.ask("/").status == 200
        served.members[9002].kill()
        assert [connection.ask("/").member for _ in range(20)] == ["first"] * 20


def test_a_member_dead_from_the_start_is_skipped(served):
    served.members[9001].kill()
    assert [served.ask("/").member for _ in range(10)] == ["second"] * 10


def test_no_client_of_many_sees_the_member_die(served):
    def many(number):
        with served.connect() as connection:
            return [connection.ask("/").status for _ in range(100)]

    with concurrent.futures.ThreadPoolExecutor(8) as clients:
        answers = [clients.submit(many, number) for number in range(8)]
        served.members[9001].kill()
        statuses = {status for answer in answers for status in answer.result()}
    assert statuses == {200}


def test_without_any_member_the_client_is_told_so(served):
    for member in served.members.values():
        member.kill()
    assert served.ask("/").status in (502, 503)


def test_the_admin_server_listens_where_the_file_says(whole):
    with urlopen(f"http://127.0.0.1:{whole.service.admin}/metrics", timeout=30) as answer:
        assert b"adc_build_info" in answer.read()
