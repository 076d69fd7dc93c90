"""conntrackd gets the link of the two nodes and the addresses whose flows it copies."""

import shutil
import subprocess

import pytest

from adc.config import Config
from adc.control.conntrackd import NotTwoNodes, conntrackd_of
from adc.firewall.conntrackd import conntrackd_config


def config(**cluster):
    return Config.model_validate(
        {
            "listeners": [{"name": "web", "bind": "127.0.0.1:8080"}],
            "state": {"backend": "redis", "url": "redis://127.0.0.1:6379/0"},
            "cluster": {"name": "edge", **cluster},
        }
    )


def test_addresses_of_the_nodes_and_the_listeners_are_named():
    peers = ["10.0.0.1:7946", "10.0.0.2:7946"]
    text = conntrackd_of(config(advertise="10.0.0.1:7946", peers=peers, on_unknown="redirect"), "", "eth1")
    for line in ("IPv4_address 10.0.0.1", "IPv4_Destination_Address 10.0.0.2", "Interface eth1"):
        assert f"        {line}\n" in text
    assert "            IPv4_address 127.0.0.1\n" in text


def test_peer_must_be_known():
    with pytest.raises(NotTwoNodes, match="--peer"):
        conntrackd_of(config(advertise="10.0.0.1:7946"), "", "eth1")
    with pytest.raises(NotTwoNodes, match=r"cluster\.advertise"):
        conntrackd_of(config(), "10.0.0.2", "eth1")
    with pytest.raises(NotTwoNodes, match="not of one IP version"):
        conntrackd_of(config(advertise="10.0.0.1:7946"), "fd00::2", "eth1")


@pytest.mark.skipif(shutil.which("conntrackd") is None, reason="there is no program conntrackd")
def test_conntrackd_accepts_the_text(tmp_path):
    file = tmp_path / "conntrackd.conf"
    file.write_text(conntrackd_config("127.0.0.1", "127.0.0.2", "lo", ["127.0.0.1", "::1"], 1000))
    command = ["conntrackd", "-C", str(file), "-s"]
    said = subprocess.run(command, check=False, capture_output=True, text=True, timeout=10)
    assert "parsing error" not in said.stderr + said.stdout
