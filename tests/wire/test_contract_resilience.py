"""contract/03-resilience.yaml behaves as its comments say."""

import json
import time
from urllib.request import urlopen

import pytest

from tests.wire.contract import Served

MEMBERS = {9001: "first", 9002: "second", 9003: "spare"}


@pytest.fixture
def served(tmp_path):
    served = Served(tmp_path, "03-resilience", MEMBERS)
    yield served
    served.close()


def _until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def _health(served):
    with urlopen(f"http://127.0.0.1:{served.service.admin}/api/v1/members") as answer:
        rows = json.load(answer)
    members = rows["members"] if isinstance(rows, dict) else rows
    ports = {member.port: member.name for member in served.members.values()}
    return {ports[int(row["address"].rpartition(":")[2])]: row["health"] for row in members}


def test_the_spare_serves_only_when_the_others_are_down(served):
    assert {served.ask("/").member for _ in range(8)} <= {"first", "second"}
    served.members[9001].kill()
    assert {served.ask("/").member for _ in range(8)} == {"second"}  # at once: what fails is sent again
    served.members[9002].kill()
    assert {served.ask("/").member for _ in range(4)} == {"spare"}
    _until(lambda: _health(served) == {"first": "down", "second": "down", "spare": "up"})
    served.members[9003].kill()
    _until(lambda: _health(served)["spare"] == "down")
    answer = served.ask("/")
    assert (answer.status, answer["retry-after"]) == (503, "5")
    assert answer["proxy-status"] == "adc; error=destination_unavailable"


def test_a_post_that_no_member_has_seen_is_sent_again(served):
    for port in (9001, 9002):
        served.members[port].kill()
    assert served.ask("/", "POST", body=b"x").member == "spare"  # refused connections saw nothing of it
