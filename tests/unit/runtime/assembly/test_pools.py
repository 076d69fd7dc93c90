"""Pools as the configuration describes them."""

from random import Random

import pytest

from adc.config import load
from adc.pools.errors import Failure
from adc.runtime.assembly.pools import build_pool

TEXT = """
listeners: [{{bind: 127.0.0.1:8080}}]
routes: [{{pool: app}}]
pools: {{app: {{members: ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80"], health: {{{health}}}}}}}
"""


@pytest.mark.parametrize(
    ("health", "seconds"),
    [
        ("", 10.0),
        ("passive: {eject: 20s}", 20.0),
        ("active: {path: /, interval: 1s}", 2.0),
        ("active: {path: /, interval: 10s, rise: 5}", 30.0),
        ("active: {path: /, interval: 1s}, passive: {eject: 20s}", 2.0),
        ("active: {path: /, interval: 10s, rise: 5}, passive: {eject: 20s}", 20.0),
        ("active: {path: /, interval: 1s}, passive: {failures: 2}", 2.0),
    ],
)
def test_ejection_of_an_unreachable_member_is_as_short_as_its_active_checks(tmp_path, health, seconds):
    (file := tmp_path / "adc.yaml").write_text(TEXT.format(health=health))
    pool = build_pool("app", load(file, {}).config.pools["app"], Random(1))
    member = pool.members[0]
    for _ in range(5):
        pool.started(member, 0.0)
        pool.finished(member, 0.0, Failure.CONNECTION_REFUSED, 0.0)
    assert (member.ejected, member.ejected_until) == (True, seconds)


def test_ejection_for_bad_responses_lasts_as_written(tmp_path):
    health = "active: {path: /, interval: 1s}, passive: {eject: 20s}"
    (file := tmp_path / "adc.yaml").write_text(TEXT.format(health=health))
    pool = build_pool("app", load(file, {}).config.pools["app"], Random(1))
    member = pool.members[0]
    for _ in range(5):
        pool.started(member, 0.0)
        pool.finished(member, 0.0, 500, 0.0)
    assert (member.ejected, member.ejected_until) == (True, 20.0)
