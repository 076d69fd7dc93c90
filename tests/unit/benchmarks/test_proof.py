from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import proof
from benchmarks.processes import StartError
from benchmarks.site import Features, Site

PINNED = """# TYPE adc_persistence_entries gauge
adc_persistence_entries{pool="app"} 998
adc_persistence_entries{pool="other"} 2
adc_persistence_created_total{pool="app"} 5000
"""


def peer_with(**features):
    return SimpleNamespace(site=Site(Path(), 1, 2, 3, None, Features(**features)))


def test_pins_are_added_up_over_the_pools():
    assert proof.persistence_entries(PINNED) == 1000


def test_no_pins_are_zero():
    assert proof.persistence_entries("adc_requests_total 5\n") == 0


def test_hits_are_the_share_that_the_origin_never_saw():
    figures = {"rate": 1000.0}
    proof.check_hits(figures, 100, 2)
    assert figures["hits"] == pytest.approx(0.95)


def test_a_cache_that_passes_everything_on_counts_for_nothing():
    with pytest.raises(StartError, match="only 1% from it"):
        proof.check_hits({"rate": 1000.0}, 1980, 2)


def test_a_plain_peer_has_nothing_to_prove():
    proof.prove(peer_with(), None)


def test_an_answer_in_another_coding_is_refused(monkeypatch):
    monkeypatch.setattr(proof, "_coding_of_answer", lambda peer: "")
    with pytest.raises(StartError, match="Content-Encoding: none, not gzip"):
        proof.prove(peer_with(coding="gzip"), None)


def test_an_answer_in_the_coding_asked_for_is_accepted(monkeypatch):
    monkeypatch.setattr(proof, "_coding_of_answer", lambda peer: "gzip")
    proof.prove(peer_with(coding="gzip"), None)


def test_a_firewall_that_lets_an_attack_pass_is_refused(monkeypatch):
    monkeypatch.setattr(proof, "_status_of_attack", lambda peer: 200)
    with pytest.raises(StartError, match="answers SQL injection with 200, not 403"):
        proof.prove(peer_with(waf="core"), None)


def test_persistence_that_pins_nobody_is_refused(monkeypatch):
    monkeypatch.setattr(proof, "_metrics", lambda peer: "")
    with pytest.raises(StartError, match="pins nobody"):
        proof.prove(peer_with(sticky=True), None)


@pytest.mark.parametrize(("counts", "arrive"), [([10, 11], False), ([10, 13], True)])
def test_health_checks_show_at_the_origin(monkeypatch, counts, arrive):
    monkeypatch.setattr(proof.time, "sleep", lambda seconds: None)
    origin = SimpleNamespace(requests=lambda: counts.pop(0))
    if arrive:
        proof.prove(peer_with(resilience=True), origin)
    else:
        with pytest.raises(StartError, match="sends none"):
            proof.prove(peer_with(resilience=True), origin)


def test_rate_limit_that_shows_nowhere_is_refused(monkeypatch):
    monkeypatch.setattr(proof, "_limit_of_answer", lambda peer: "")
    with pytest.raises(StartError, match="no RateLimit"):
        proof.prove(peer_with(rate_limit=True), None)


@pytest.mark.parametrize(
    ("feature", "page", "message"),
    [
        ("charset", "Список".encode("cp1251"), "does not convert"),
        ("substitute", b"<a href='http://intranet/'>", "text to replace"),
    ],
)
def test_a_page_that_is_not_transformed_is_refused(monkeypatch, feature, page, message):
    monkeypatch.setattr(proof, "_page", lambda peer: page)
    with pytest.raises(StartError, match=message):
        proof.prove(peer_with(**{feature: True}), None)
