"""Addresses that cannot be listened on beside each other, once names are looked up and defaults are known."""

import pytest

from adc.config.loading import load
from adc.control.preflight import preflight


@pytest.fixture(autouse=True)
def _free(monkeypatch):
    """Have no address in use, whatever runs on this machine."""
    monkeypatch.setattr("adc.control.preflight.refusal", lambda *args, **options: None)


def wrong(folder, listeners, top=""):
    file = folder / "adc.yaml"
    file.write_text(f"listeners:\n{listeners}{top}")
    return [str(each).removeprefix(f"{file}:") for each in preflight(load(file)).wrong]


@pytest.mark.parametrize(
    ("listeners", "top", "at", "first"),
    [
        (
            "- {bind: '127.0.0.1:39000-39009'}\n- {bind: 'localhost:39004'}\n",
            "admin: false\n",
            "3:10: listeners[1].bind: localhost:39004 is bound already; the first is listeners[0].bind",
            "2:10",
        ),
        (
            "- {bind: ['127.0.0.1:39000-39009', '127.0.0.1:9901']}\n",
            "admin: 'localhost:9901'\n",
            "3:8: admin: localhost:9901 is bound already; the first is listeners[0].bind[1]",
            "2:36",
        ),
    ],
)
def test_clash_of_looked_up_addresses_names_both_places(tmp_path, listeners, top, at, first):
    (line,) = wrong(tmp_path, listeners, top)
    assert at in line
    assert line.endswith(f"adc.yaml:{first})")


def test_large_ranges_are_compared_quickly(tmp_path):
    binds = "".join(f"- {{bind: '127.0.1.{n}:20000-21023'}}\n" for n in range(20))
    assert wrong(tmp_path, binds, "admin: false\n") == []


def test_listener_may_name_an_address_twice(tmp_path):
    assert wrong(tmp_path, "- {bind: ['127.0.0.1:39000', 'localhost:39000']}\n", "admin: false\n") == []
