import asyncio
from datetime import timedelta

import pytest

from adc.control import acme, acme_order
from adc.control.acme import AcmeCertificates, aside, renewal_in
from adc.control.acme_order import OrderFailed, Wanted, keep
from adc.net import placeholder
from adc.net.certificates import read_facts
from tests.kit.waiting import eventually

DAY = 86400.0


def kept(tmp_path, monkeypatch, days, *names):
    """A file with a certificate of `days`, and when it expires."""
    monkeypatch.setattr(placeholder, "LIFETIME", timedelta(days=days))
    file = tmp_path / "a.pem"
    file.write_bytes(placeholder.self_signed(names))
    return file, read_facts(file.read_bytes()).expires


def test_certificate_is_renewed_before_it_expires(tmp_path, monkeypatch):
    file, expires = kept(tmp_path, monkeypatch, 90, "a.test")
    wanted = Wanted(("a.test",), "https://ca", file, renew_before=20 * DAY)
    assert renewal_in(wanted, expires - 21 * DAY) == pytest.approx(DAY)
    assert renewal_in(wanted, expires - 19 * DAY) < 0


def test_short_lived_certificate_is_renewed_when_a_third_is_left(tmp_path, monkeypatch):
    file, expires = kept(tmp_path, monkeypatch, 6, "a.test")
    wanted = Wanted(("a.test",), "https://ca", file, renew_before=30 * DAY)
    assert renewal_in(wanted, expires - 3 * DAY) == pytest.approx(DAY, abs=3600)


def test_missing_or_broken_file_and_new_names_are_due_now(tmp_path, monkeypatch):
    file, _ = kept(tmp_path, monkeypatch, 90, "a.test")
    assert renewal_in(Wanted(("a.test", "b.test"), "https://ca", file), 0.0) == 0
    assert renewal_in(Wanted(("a.test",), "https://ca", tmp_path / "none"), 0.0) == 0
    file.write_text("broken")
    assert renewal_in(Wanted(("a.test",), "https://ca", file), 0.0) == 0


def test_kept_file_is_replaced_whole_and_private(tmp_path):
    file = tmp_path / "deep" / "a.pem"
    keep(file, b"one")
    keep(file, b"two")
    assert file.read_bytes() == b"two"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


async def test_work_in_a_thread_returns_its_result_or_raises_its_error():
    assert await aside(lambda: 1) == 1
    with pytest.raises(OrderFailed, match="no"):
        await aside(lambda: (_ for _ in ()).throw(OrderFailed("no")))


async def test_challenges_are_told_and_taken_back_and_failures_are_tried_again(tmp_path, monkeypatch):
    told, tries = [], []

    class Failing:
        def __init__(self, wanted):
            tries.append(wanted)

        def begin(self):
            return {"token": "key"}

        def finish(self):
            raise OrderFailed("the authority said no")

    async def tell(challenges):
        told.append(dict(challenges))

    monkeypatch.setattr(acme_order, "Order", Failing)
    wanted = Wanted(("a.test",), "https://ca", tmp_path / "a.pem")
    monkeypatch.setattr(acme, "wanted_of", lambda config: [wanted])
    certificates = AcmeCertificates(tell, first_delay=0.001)
    certificates.follow(None)
    await eventually(lambda: len(tries) >= 3)
    await certificates.close()
    await asyncio.sleep(0)
    assert told[:4] == [{"token": "key"}, {}, {"token": "key"}, {}]
    assert certificates.challenges == {}
