"""`adc run` with the kernel as data path: health, sessions, reloads and exit."""

import json
import os
import signal
import socket
import subprocess
import sys

import yaml

from tests.kit import netns
from tests.wire.kernel.conftest import PORT
from tests.wire.kernel.test_rules import settled

pytestmark = netns.required

ADMIN = "127.0.0.1:9901"


def written(net, path, engine, *members):
    path.write_text(
        yaml.safe_dump(
            {
                "node": "n2",
                "workers": 1,
                "shutdown": {"grace": "1s"},
                "admin": {"bind": ADMIN},
                "error_log": {"path": str(path.with_suffix(".log"))},
                "listeners": [
                    {
                        "name": "dns",
                        "bind": f"{net.address('adc')}:{PORT}",
                        "protocol": "udp",
                        "pool": "p",
                        "datapath": engine,
                    }
                ],
                "pools": {"p": {"members": [f"{net.address(member)}:{PORT}" for member in members]}},
            }
        )
    )


def asked(net):
    """The member that replies to a datagram of a new client, None if nothing does."""
    with net.client.socket(kind=socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        try:
            client.connect((net.address("adc"), PORT))
            client.send(b"x")
            return client.recv(10).split(b":")[0].decode()
        except OSError:
            return None


def adc(net, *arguments):
    command = [sys.executable, "-m", "adc", *arguments]
    return net.adc.call(subprocess.run, command, capture_output=True, text=True, timeout=30, check=False)


def tables(net):
    return net.adc.run(("nft", "list", "tables"))


def test_service_forwards_drains_reloads_and_leaves_no_rules(net, tmp_path):
    config = tmp_path / "adc.yaml"
    written(net, config, "kernel", "m1", "m2")
    process = net.adc.start([sys.executable, "-m", "adc", "run", str(config)], env=os.environ)
    try:
        assert settled(lambda: asked(net) in ("m1", "m2"), True)
        assert "adc_n2" in tables(net)
        rows = json.loads(adc(net, "sessions", "list", "--admin", ADMIN, "--json").stdout)
        rows = rows["rows"] if isinstance(rows, dict) else rows
        assert {row["listener"] for row in rows if row["kind"] == "flow"} == {"dns"}
        assert (
            adc(net, "members", "drain", "p", f"{net.address('m1')}:{PORT}", "--admin", ADMIN).returncode == 0
        )
        assert settled(lambda: {asked(net) for _ in range(4)}, {"m2"}) == {"m2"}
        for engine in ("userspace", "kernel"):
            written(net, config, engine, "m2")
            done = adc(net, "reload", "--admin", ADMIN)
            assert done.returncode == 0, done.stderr
            assert settled(lambda: asked(net), "m2") == "m2"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
    assert "adc_n2" not in tables(net)
