"""Loads and members of the L4 rows."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from benchmarks.cores import TICKS
from benchmarks.loads import datagram_client, machine, stream_client
from benchmarks.members import FILE_BYTES
from benchmarks.peers import PEERS, adc_flows, haproxy_tcp, nginx_stream
from benchmarks.processes import returns_datagram
from benchmarks.site import Certificate, Features, Site
from tests.kit.ports import free_port
from tests.kit.waiting import eventually

CERTIFICATE = Certificate(Path("/c/chain.pem"), Path("/c/key.pem"), Path("/c/bundle.pem"))
CHECKOUT = Path(__file__).parents[3]


def site_with(folder, **features):
    return Site(folder, 4001, 4002, 4003, CERTIFICATE, Features(**features))


@pytest.fixture
def member(request):
    """The port of a member process of the kind `request.param`."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.members", request.param, str(port)], cwd=CHECKOUT
    )
    yield port
    process.kill()
    process.wait()


def transferred(port):
    try:
        return stream_client.run(port, 0.05, 2, 2)
    except ConnectionRefusedError:
        return None


@pytest.mark.parametrize("member", ["bytes"], indirect=True)
async def test_bytes_of_both_directions_are_counted(member):
    outcome = await eventually(lambda: transferred(member))
    assert outcome["errors"] == 0
    assert outcome["requests"] == 4
    assert outcome["bytes"] > 0


@pytest.mark.parametrize("member", ["datagrams"], indirect=True)
async def test_each_datagram_comes_back_to_its_port(member):
    await eventually(lambda: returns_datagram(member))
    outcome = datagram_client.run(member, 0.05, 128)
    assert outcome["errors"] == 0
    assert outcome["requests"] >= 64
    assert outcome["bytes"] >= outcome["requests"] * min(datagram_client.SIZES)


def test_datagrams_without_responses_are_errors(monkeypatch):
    monkeypatch.setattr(datagram_client, "PATIENCE", 0.01)
    outcome = datagram_client.run(free_port(), 0.05, 128)
    assert outcome["requests"] == 0
    assert outcome["errors"] > 0


def test_random_bytes_exceed_every_buffer_on_the_way():
    assert FILE_BYTES > 16 << 20


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_adc_gets_a_listener_of_the_protocol(protocol):
    data = adc_flows.configuration(site_with(Path("/site"), protocol=protocol))
    assert [(one["protocol"], one["pool"]) for one in data["listeners"]] == [(protocol, "app")]
    assert "routes" not in data


def test_adc_peer_writes_that_configuration(tmp_path):
    PEERS["adc"].configure(site_with(tmp_path, protocol="tcp"))
    written = yaml.safe_load((tmp_path / "adc.yaml").read_text())
    assert written == adc_flows.configuration(site_with(tmp_path, protocol="tcp"))


def test_nginx_expects_one_response_to_a_datagram():
    assert "proxy_responses 1;" in nginx_stream.configuration(site_with(Path("/site"), protocol="udp"))
    assert "proxy_responses" not in nginx_stream.configuration(site_with(Path("/site"), protocol="tcp"))


def test_haproxy_splices_only_where_the_row_asks_for_it():
    assert "splice-auto" in haproxy_tcp.configuration(site_with(Path("/site"), protocol="tcp", splice=True))
    assert "splice" not in haproxy_tcp.configuration(site_with(Path("/site"), protocol="tcp"))


def test_adc_has_the_kernel_forward_only_where_the_row_asks_for_it():
    (listener,) = adc_flows.configuration(site_with(Path("/site"), protocol="udp", kernel=True))["listeners"]
    assert listener["datapath"] == "kernel"
    assert "udp" not in listener
    (listener,) = adc_flows.configuration(site_with(Path("/site"), protocol="udp"))["listeners"]
    assert "datapath" not in listener


class Counted:
    """A load that found `figures`."""

    fresh = False

    def __init__(self, **figures):
        self.figures = figures

    def measure(self, peer, seconds):
        return self.figures


@pytest.mark.parametrize(
    ("found", "key"), [({"rate": 50.0}, "machine_us"), ({"mb_per_s": 50.0}, "machine_us_per_mb")]
)
def test_cpu_of_the_machine_is_divided_by_what_was_done(found, key, monkeypatch):
    seconds = iter((10.0, 12.0))
    monkeypatch.setattr(machine, "busy_seconds", lambda lines: next(seconds))
    assert machine.Machine(Counted(**found)).measure(None, 4)[key] == 2e6 / 200


def test_busy_seconds_leave_out_idle_cores():
    lines = ["cpu  100 20 300 4000 50 6 7 8 0 0", "cpu0 1 1 1 1 1 1 1 1 0 0"]
    assert machine.busy_seconds(lines) == (100 + 20 + 300 + 6 + 7) / TICKS


def test_missing_module_of_nginx_is_named():
    peer = PEERS["nginx-stream"]
    absent = type(peer)("x", ("sh", "/no/such/module.so"), "", peer.configure)
    assert absent.missing() == ["/no/such/module.so"]
