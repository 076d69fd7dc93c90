"""`adc run` with the kernel as data path: health, sessions, reloads and exit."""

import json
import os
import signal
import socket
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from adc.config import load
from tests.kit import adc_commands, netns
from tests.kit.waiting import PATIENCE
from tests.wire.kernel.conftest import PORT
from tests.wire.kernel.test_datapath import ask, member_of
from tests.wire.kernel.test_drain import refuses
from tests.wire.kernel.test_flows import is_reset
from tests.wire.kernel.test_rules import settled

pytestmark = netns.required

EXAMPLE = Path(__file__).parents[3] / "config" / "kernel.yaml"
ADMIN = "127.0.0.1:9901"


def written(net, path, engine, *members, protocol="udp", grace="1s"):
    path.write_text(
        yaml.safe_dump(
            {
                "node": "n2",
                "workers": 1,
                "shutdown": {"grace": grace},
                "admin": {"bind": ADMIN},
                "error_log": {"path": str(path.with_suffix(".log"))},
                "listeners": [
                    {
                        "name": "dns",
                        "bind": f"{net.address('adc')}:{PORT}",
                        "protocol": protocol,
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
        client.settimeout(0.5)  # one that came between two rules is not answered
        try:
            client.connect((net.address("adc"), PORT))
            client.send(b"x")
            return client.recv(10).split(b":")[0].decode()
        except OSError:
            return None


def adc(net, *arguments):
    """Run a command in the node; return its exit code and what it printed."""
    return adc_commands.run(arguments, PATIENCE, net.adc)


def started(net, config):
    with config.with_suffix(".out").open("wb") as output:
        return adc_commands.start(["run", str(config)], output.fileno(), space=net.adc)


def tables(net, kind="table"):
    return net.adc.run(("nft", "list", f"{kind}s"))


def test_service_forwards_drains_reloads_and_leaves_no_rules(net, tmp_path):
    config = tmp_path / "adc.yaml"
    written(net, config, "kernel", "m1", "m2")
    process = started(net, config)
    try:
        assert settled(lambda: asked(net) in ("m1", "m2"), True)
        assert "adc_n2" in tables(net)
        rows = json.loads(adc(net, "sessions", "list", "--admin", ADMIN, "--json")[1])
        rows = rows["rows"] if isinstance(rows, dict) else rows
        assert {row["listener"] for row in rows if row["kind"] == "flow"} == {"dns"}
        drained = adc(net, "members", "drain", "p", f"{net.address('m1')}:{PORT}", "--admin", ADMIN)
        assert drained[0] == 0, drained[1]
        assert settled(lambda: {asked(net) for _ in range(4)}, {"m2"}) == {"m2"}
        for engine in ("userspace", "kernel"):
            written(net, config, engine, "m2")
            code, said = adc(net, "reload", "--admin", ADMIN)
            assert code == 0, said
            assert settled(lambda: asked(net), "m2") == "m2"
    finally:
        os.kill(process.pid, signal.SIGTERM)
        process.wait(20)
    assert "adc_n2" not in tables(net)


@contextmanager
def running(net, config):
    """An `adc run` in the node, which has removed its rules at the end."""
    process = started(net, config)
    try:
        assert settled(lambda: "members_of_dns_4" in tables(net, "map"), True)
        yield process
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGTERM)
        process.wait(20)


def connected(net):
    """A flow through the node, with the name of its member."""
    flow = net.client.connect(net.address("adc"), PORT)
    return flow, ask(flow)


def test_terminated_service_refuses_new_flows_and_lets_open_ones_go_on(net, tmp_path):
    config = tmp_path / "adc.yaml"
    written(net, config, "kernel", "m1", protocol="tcp", grace="20s")
    with running(net, config) as process:
        flow, member = connected(net)
        with flow:
            os.kill(process.pid, signal.SIGTERM)
            assert settled(lambda: refuses(net), True)
            assert ask(flow) == member
            assert process.poll() is None
        process.wait(10)
    assert "adc_n2" not in tables(net)


def test_second_signal_ends_open_flows_at_once_and_tells_both_ends(net, tmp_path):
    config = tmp_path / "adc.yaml"
    written(net, config, "kernel", "m1", protocol="tcp", grace="1h")
    with running(net, config) as process, netns.capture(net["m1"]) as far:
        flow, _ = connected(net)
        with flow:
            os.kill(process.pid, signal.SIGTERM)
            assert settled(lambda: refuses(net), True)
            os.kill(process.pid, signal.SIGTERM)
            with pytest.raises(ConnectionResetError):
                flow.recv(10)
            far.wait(is_reset)
    assert "adc_n2" not in tables(net)


def test_flows_survive_a_crash_and_are_told_by_the_next_start(net, tmp_path):
    config = tmp_path / "adc.yaml"
    written(net, config, "kernel", "m1", "m2", protocol="tcp")
    with running(net, config) as process:
        flow, member = connected(net)
        process.kill()
        process.wait(10)
    assert "adc_n2" in tables(net)
    assert {member_of(net) for _ in range(4)} == {"m1", "m2"}
    assert ask(flow) == member
    with running(net, config) as process, flow:
        assert settled(lambda: adc(net, "status", "--admin", ADMIN)[0], 0) == 0
        assert ask(flow) == member
        os.kill(process.pid, signal.SIGINT)
        with pytest.raises(ConnectionResetError):
            flow.recv(10)
    assert "adc_n2" not in tables(net)


def test_upgrade_keeps_flows_and_leaves_the_rules_to_the_new_binary(net, tmp_path):
    config = tmp_path / "adc.yaml"
    written(net, config, "kernel", "m1", protocol="tcp", grace="20s")
    with running(net, config) as process:
        flow, member = connected(net)
        with flow:
            written(net, config, "kernel", "m2", protocol="tcp", grace="0s")
            os.kill(process.pid, signal.SIGUSR2)
            assert process.wait(PATIENCE) == 0
            successor = json.loads(adc(net, "status", "--admin", ADMIN, "--json")[1])["pid"]
            try:
                assert successor != process.pid
                assert ask(flow) == member == "m1"
                assert {member_of(net) for _ in range(3)} == {"m2"}
                assert "kernel_rules_changed" not in config.with_suffix(".log").read_text()
            finally:
                os.kill(successor, signal.SIGTERM)
            flow.settimeout(PATIENCE)
            with pytest.raises(ConnectionResetError):
                flow.recv(10)
            assert settled(lambda: "adc_n2" in tables(net), False) is False


def test_second_instance_with_the_same_node_name_is_refused(net, tmp_path):
    config, other = tmp_path / "adc.yaml", tmp_path / "other.yaml"
    written(net, config, "kernel", "m1", protocol="tcp")
    written(net, other, "kernel", "m2", protocol="tcp")
    other.write_text(
        other.read_text().replace(f":{PORT}\n", f":{PORT + 1}\n").replace(ADMIN, "127.0.0.1:9902")
    )
    with running(net, config):
        code, said = adc(net, "run", str(other))
        assert code == 2
        assert "table inet adc_n2: another adc has it" in said
        assert {member_of(net) for _ in range(3)} == {"m1"}


def test_example_forwards_programs_of_the_node_and_filters(net, node):
    node.serve(load(EXAMPLE).config.model_copy(update={"node": "n1"}))
    with (
        net.adc.call(socket.create_server, ("127.0.0.1", 25432)) as server,
        net.adc.connect("127.0.0.1", 15432) as client,
        server.accept()[0] as far,
    ):
        client.sendall(b"x")
        assert far.recv(1) == b"x"
    counters = node.counters()
    assert counters["rule_db-office"] == 1
    assert counters.keys() >= {"rule_floods", "rule_blocked-pings"}
