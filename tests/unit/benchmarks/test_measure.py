from pathlib import Path

import pytest

from benchmarks import measure
from benchmarks.loads.outcome import LoadError
from benchmarks.measure import Bench, turns
from benchmarks.peers.peer import Peer
from benchmarks.processes import StartError
from benchmarks.rows import Contender, Row
from benchmarks.site import Features, Site


class Scripted:
    """A load that answers from a list."""

    fresh = False

    def __init__(self, answers):
        self.answers = answers

    def warm_up(self, peer):
        """There is nothing to warm up."""

    def measure(self, peer, seconds):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Stopped:
    def __init__(self, log):
        self.log = log
        self.processes = self

        self.site = Site(Path(), 1, 2, 3, None)

    def stop(self):
        self.log.append("stopped")


class NoOrigin:
    def __init__(self):
        self.ports = {"small": 1}

    def requests(self):
        return 0


@pytest.fixture
def run(monkeypatch, tmp_path):
    log = []

    def start(peer, features, port, certificate, folder):
        if peer.name == "broken":
            raise StartError("unknown key on line 3")
        return Stopped(log)

    def run(names, answers, rounds=1):
        binaries = {"absent": ("no-such-program-anywhere",)}
        peers = {name: Peer(name, binaries.get(name, ("sh",)), f"get {name}", list) for name in names}
        monkeypatch.setattr(measure, "PEERS", peers)
        monkeypatch.setattr(measure, "start", start)
        row = Row(
            "row", "Row", "small", Scripted(answers), {name: Contender(name, Features()) for name in names}
        )
        return Bench(tmp_path, NoOrigin(), None, log.append).run(row, names, 1, rounds), log

    return run


def test_everyone_has_one_turn_a_round_and_the_first_place_goes_round():
    assert turns(["a", "b", "c"], 4) == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]


def test_no_peers_have_no_turns():
    assert turns([], 3) == []


def test_contenders_take_turns_and_get_their_own_medians(run):
    answers = [{"x": value} for value in (1.0, 10.0, 20.0, 2.0, 3.0, 30.0)]
    result, _ = run(["a", "b"], answers, rounds=3)
    assert result.figures == {"a": {"x": 2.0}, "b": {"x": 20.0}}


def test_a_peer_that_is_not_installed_is_skipped_with_what_to_do(run):
    result, _ = run(["absent", "a"], [{"x": 1.0}])
    assert result.skipped == {"absent": "no-such-program-anywhere not installed: get absent"}
    assert list(result.figures) == ["a"]


def test_a_peer_that_does_not_start_is_skipped_with_its_words(run):
    result, _ = run(["broken", "a"], [{"x": 1.0}])
    assert result.skipped == {"broken": "unknown key on line 3"}
    assert list(result.figures) == ["a"]


def test_a_peer_that_fails_in_a_later_round_has_no_figures(run):
    result, _ = run(["a"], [{"x": 1.0}, LoadError("half of it failed")], rounds=2)
    assert result.figures == {}
    assert result.skipped == {"a": "half of it failed"}


def test_every_peer_that_was_started_is_stopped(run):
    _, log = run(["a", "b"], [LoadError("no"), {"x": 1.0}])
    assert log.count("stopped") == 2
