"""Packets and notes become a timeline: as text, as a drawing and as a page."""

import xml.etree.ElementTree as ElementTree

import pytest

from adc.cli.lab.drawing import svg
from adc.cli.lab.packets import Packet
from adc.cli.lab.page import page
from adc.cli.lab.scenario import Finding, Result, Scenario
from adc.cli.lab.timeline import (
    CLOSED,
    NOTE,
    OPENED,
    PACKET,
    PROBE,
    REPEATED,
    RESET,
    Event,
    Packets,
    Timeline,
)

CLIENT, DEVICE, OTHER, MEMBER = "10.0.0.2", "10.0.0.1", "10.0.0.3", "10.0.1.9"
PLACES = {CLIENT: "client", OTHER: "b", MEMBER: "m1"}
SVG = "{http://www.w3.org/2000/svg}"


def segment(
    flags, seq, data=b"", source=CLIENT, destination=DEVICE, outgoing=False, protocol="tcp", when=0.0
):
    return Packet(when, "front", outgoing, protocol, (source, 40), (destination, 80), flags, seq, 1, data)


def described(*packets):
    return [
        (event.source, event.target, event.kind, event.text)
        for event in Packets("adc", PLACES).events(packets)
    ]


def test_segments_are_told_by_flags_and_content():
    packets = (segment("S", 9), segment("A", 10), segment("PA", 10, b"query 1"), segment("FA", 17))
    assert [text for *_, text in described(*packets)] == ["SYN", "ACK", "“query 1”", "FIN"]


def test_segment_that_is_sent_again_is_marked():
    first, again = described(segment("PA", 10, b"query"), segment("PA", 10, b"query"))
    assert (first[2], again[2], again[3]) == (PACKET, REPEATED, "“query” again")


def test_numbers_that_wrap_are_no_repetition():
    kinds = [kind for *_, kind, _ in described(segment("PA", 2**32 - 2, b"abcd"), segment("PA", 2, b"e"))]
    assert kinds == [PACKET, PACKET]


def test_keep_alive_probe_is_an_empty_segment_before_the_next_byte():
    *_, probe, acknowledgement = described(segment("PA", 10, b"x"), segment("A", 10), segment("A", 11))
    assert (probe[2], probe[3]) == (PROBE, "keep-alive probe")
    assert acknowledgement[2] == PACKET


def test_reset_and_unreachable_are_told():
    assert described(segment("RA", 1), segment("3/3", 0, protocol="icmp")) == [
        ("client", "adc", RESET, "RST"),
        ("client", "adc", RESET, "ICMP 3/3"),
    ]


def test_outgoing_packet_leads_from_the_device_whatever_its_source():
    spoofed = segment("S", 1, source=CLIENT, destination=MEMBER, outgoing=True)
    assert described(spoofed) == [("adc", "m1", PACKET, "SYN")]


def test_packets_of_unknown_addresses_are_left_out():
    assert described(segment("S", 1, source="192.0.2.1")) == []


def test_content_that_is_no_text_is_told_by_its_size():
    assert described(segment("", 0, b"\xff" * 9, protocol="udp"))[0][3] == "9 bytes"


@pytest.fixture
def silence():
    """A packet, an entry that ends in a silence, and a reset."""
    events = [
        Event(103.5, "client", "adc", "RST", RESET),
        Event(100.0, "client", "adc", "“<b>&”", PACKET),
        Event(100.1, "adc", "adc", "new entry", OPENED),
        Event(101.1, "adc", "adc", "entry ends", CLOSED),
        Event(101.2, "nowhere", "adc", "lost", NOTE),
    ]
    return Timeline.of(("client", "adc"), events)


def test_text_is_in_order_and_names_silences(silence):
    assert silence.text().splitlines() == [
        "  0.000  client -> adc     “<b>&”",
        "  0.100     adc            new entry",
        "         (1.0 s)",
        "  1.100     adc            entry ends",
        "         (2.4 s)",
        "  3.500  client -> adc     RST",
    ]


def test_drawing_is_escaped_xml_with_a_band_while_the_entry_lives(silence):
    root = ElementTree.fromstring(svg(silence, "A <title>"))
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert root.find(f"{SVG}title").text == "A <title>"
    assert {"“<b>&”", "client", "2.4 s nothing"} <= set(texts)
    heights = {element.text: float(element.get("y")) for element in root.iter(f"{SVG}text")}
    (band,) = [element for element in root.iter(f"{SVG}rect") if element.get("class") == "entry"]
    assert float(band.get("y")) == pytest.approx(heights["new entry"] - 4)
    assert float(band.get("height")) == pytest.approx(heights["entry ends"] - heights["new entry"])


def test_band_of_an_entry_that_stays_reaches_the_end():
    lasting = Timeline.of(
        ("adc",), [Event(1, "adc", "adc", "new entry", OPENED), Event(2, "adc", "adc", "x", NOTE)]
    )
    root = ElementTree.fromstring(svg(lasting, "t"))
    (band,) = [element for element in root.iter(f"{SVG}rect") if element.get("class") == "entry"]
    assert float(band.get("y")) + float(band.get("height")) == float(root.get("height")) - 8


def test_page_is_escaped_and_needs_no_network(silence):
    scenario = Scenario("one", "One <script>", "Text & more", lambda folder: None)
    skipped = Result(scenario, skipped="no <nft>")
    text = page([Result(scenario, Finding({"lost": "<3>"}, silence, "listeners: <x>")), skipped])
    assert "<script>" not in text
    for part in ("One &lt;script&gt;", "&lt;3&gt;", "no &lt;nft&gt;", "listeners: &lt;x&gt;", "<svg "):
        assert part in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_result_says_facts_timeline_and_what_was_skipped(silence):
    scenario = Scenario("one", "One", "Text", lambda folder: None)
    result = Result(scenario, Finding({"lost": "3"}, silence, ""))
    assert "lost  3" in result.text()
    assert silence.text() in result.text()
    assert result.data()["timeline"][0] == {
        "seconds": 0.0,
        "from": "client",
        "to": "adc",
        "kind": PACKET,
        "text": "“<b>&”",
    }
    assert "skipped: why" in Result(scenario, skipped="why").text()
