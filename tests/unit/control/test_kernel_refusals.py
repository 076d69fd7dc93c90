"""A configuration that needs the kernel is refused with the reason where nft cannot change rules."""

import stat

import pytest

from adc.config import Config
from adc.control import nft
from adc.control.kernel_transaction import refused

CONFIG = {"listeners": [{"name": "web", "bind": "127.0.0.1:8080"}], "firewall": {"engine": "nftables"}}


def test_missing_nft_is_named_with_its_package(monkeypatch):
    monkeypatch.setattr(nft, "_PATH", "")
    assert refused(Config.model_validate(CONFIG)) == "there is no program nft; install the package nftables"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'Error: Operation not permitted' >&2; exit 1", "run adc as root or give it CAP_NET_ADMIN"),
        (
            "printf '/dev/stdin:5:1-9: Error: no such thing\\nadd rule x\\n^^^^\\n' >&2; exit 3",
            'nft failed with status 3: no such thing, in "add rule x"',
        ),
        ("exit 4", "nft failed with status 4: no reason given"),
        ("exec sleep 60", "nft did not end within 0.2 s"),
    ],
)
def test_failure_of_nft_is_told(monkeypatch, tmp_path, script, reason):
    program = tmp_path / "nft"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(stat.S_IRWXU)
    monkeypatch.setattr(nft, "_PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(nft, "PATIENCE", 0.2 if "sleep" in script else 20.0)
    assert reason in refused(Config.model_validate(CONFIG))


def test_configuration_without_kernel_features_never_runs_nft(monkeypatch):
    monkeypatch.setattr(nft, "_PATH", "")
    assert refused(Config.model_validate({"listeners": CONFIG["listeners"]})) is None
