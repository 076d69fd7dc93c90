import random
from pathlib import Path

import pytest
import yaml

from benchmarks.origin import html_page, parse_requests
from benchmarks.peers import PEERS, adc, haproxy, nginx
from benchmarks.processes import StartError
from benchmarks.site import Certificate, Features, Site

CERTIFICATE = Certificate(Path("/c/chain.pem"), Path("/c/key.pem"), Path("/c/bundle.pem"))


def site_with(folder, **features):
    return Site(folder, 4001, 4002, 4003, CERTIFICATE, Features(**features))


@pytest.mark.parametrize("name", [name for name in PEERS if name != "varnish"])
def test_a_peer_is_told_its_port_and_the_origins(name, tmp_path):
    commands = PEERS[name].configure(site_with(tmp_path))
    told = " ".join(commands[0]) + "".join(path.read_text() for path in tmp_path.iterdir())
    assert "4001" in told
    assert "4003" in told


def test_a_missing_binary_is_named():
    peer = PEERS["nginx"]
    assert type(peer)("x", ("no-such-program-anywhere", "sh"), "", peer.configure).missing() == [
        "no-such-program-anywhere"
    ]


def test_adc_gets_a_route_for_every_host_and_prefix(tmp_path):
    routes = adc.configuration(site_with(tmp_path, hosts=100, prefixes=100))["routes"]
    assert len({(route["match"]["host"], route["match"]["path"]) for route in routes}) == 10_000


def test_adc_plain_has_no_health_retries_persistence_or_cache():
    text = yaml.safe_dump(adc.configuration(site_with(Path("/site"))))
    assert not [word for word in ("health", "retries", "persistence", "cache", "compression") if word in text]


def test_adc_has_its_features_where_the_row_asks_for_them(tmp_path):
    data = adc.configuration(site_with(tmp_path, resilience=True, sticky=True, trust_forwarded=True))
    assert {"health", "limits", "persistence"} <= data["pools"]["app"].keys()
    assert data["state"] == {"backend": "local"}
    assert data["trusted_proxies"] == ["127.0.0.1"]
    assert "retries" in data["routes"][0]


def test_adc_gets_the_rules_that_the_row_asks_for(tmp_path, monkeypatch):
    (tmp_path / "rules").mkdir()
    monkeypatch.setenv("ADC_CRS", str(tmp_path))
    routes = [adc.configuration(site_with(tmp_path, waf=rules))["routes"][0] for rules in ("core", "crs")]
    assert [route["plugins"][0]["waf"]["rules"] for route in routes] == [["core"], [str(tmp_path)]]


def test_adc_with_the_crs_is_skipped_without_it(tmp_path, monkeypatch):
    monkeypatch.setenv("ADC_CRS", str(tmp_path / "none"))
    with pytest.raises(StartError, match="no OWASP CRS: name its folder with ADC_CRS"):
        adc.configuration(site_with(tmp_path, waf="crs"))


def test_nginx_compresses_only_where_the_row_asks_for_it(tmp_path):
    assert "gzip on" in nginx.configuration(site_with(tmp_path, coding="gzip"))
    assert "gzip on" not in nginx.configuration(site_with(tmp_path))


def test_tls_peers_listen_with_the_certificate(tmp_path):
    assert "ssl crt /c/bundle.pem" in haproxy.configuration(site_with(tmp_path, tls=True))
    assert "ssl_certificate /c/chain.pem" in nginx.configuration(site_with(tmp_path, tls=True))


def test_the_origins_page_has_the_size_asked_for_and_is_not_one_line_repeated():
    page = html_page(50 * 1024, random.Random(1))
    assert len(page) == 50 * 1024
    lines = page.splitlines()
    assert len(set(lines)) == len(lines)


def test_the_count_of_requests_is_read_from_stub_status():
    status = "Active connections: 2 \nserver accepts handled requests\n 16 16 431 \nReading: 0 Writing: 1 \n"
    assert parse_requests(status) == 431
