from __future__ import annotations

import json
from pathlib import Path

import pytest
from adc_plugins.waf.engine import Ruleset, RulesetOptions
from adc_plugins.waf.tools.replay import replay
from adc_plugins.waf.tools.replay_input import Recorded, Recording, read_line

TEXT = """
SecRule ARGS "@contains evil" "id:7,phase:2,pass,log,msg:'evil',setvar:tx.score=+5"
SecRule REQUEST_HEADERS:User-Agent "@contains bot" "id:8,phase:1,pass,log"
SecRule TX:SCORE "@ge 5" "id:9,phase:2,deny,log"
"""
RULES = Ruleset.load([("rules.conf", TEXT)], RulesetOptions("detect"))
COMBINED = '192.0.2.7 - - [15/Jan/2027:08:00:00 +0000] "{} {} HTTP/1.1" 200 5 "-" "{}"'


def test_combined_line_is_a_request() -> None:
    recorded = read_line(COMBINED.format("POST", r"/a?b=\x22c\x22", 'A \\"b\\"'))
    assert recorded is not None
    assert (recorded.request.method, recorded.request.target) == ("POST", '/a?b="c"')
    assert ("User-Agent", 'A "b"') in recorded.request.headers
    assert (recorded.client, recorded.url) == ("192.0.2.7", '/a?b="c"')


def test_common_line_is_a_request() -> None:
    recorded = read_line('192.0.2.7 - - [15/Jan/2027:08:00:00 +0000] "GET / HTTP/1.0" 200 5')
    assert recorded is not None
    assert recorded.request.protocol == "HTTP/1.0"


def test_json_line_is_a_request_with_its_host() -> None:
    value = {
        "method": "GET",
        "scheme": "https",
        "authority": "a.example",
        "target": "/b",
        "version": "1.1",
        "referer": "",
        "user_agent": "c",
        "client": "192.0.2.7",
    }
    recorded = read_line(json.dumps(value))
    assert recorded is not None
    assert recorded.url == "https://a.example/b"
    assert ("Host", "a.example") in recorded.request.headers


@pytest.mark.parametrize(
    "line", ["", "x", "{}", "{", "[]", '1 - - [x] "-" 400 0 "-" "-"', '{"method": "", "target": ""}']
)
def test_other_lines_are_no_requests(line: str) -> None:
    assert read_line(line) is None


def test_lines_that_are_no_requests_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text("x\n\n" + COMBINED.format("GET", "/", "a") + "\n")
    recording = Recording(path)
    assert (len(list(recording)), recording.unread) == (1, 1)


def test_har_entries_are_requests_with_content(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    request = {
        "method": "POST",
        "url": "https://a.example/b?c=d#e",
        "headers": [
            {"name": ":authority", "value": "a.example"},
            {"name": "Content-Type", "value": "application/json"},
            {"name": "Content-Length", "value": "999"},
        ],
        "postData": {"mimeType": "application/json", "text": '{"f": 1}'},
    }
    path.write_text(json.dumps({"log": {"entries": [{"request": request}, {}]}}))
    recording = Recording(path)
    (recorded,) = recording
    assert recording.unread == 1
    assert (recorded.url, recorded.request.target) == ("https://a.example/b?c=d", "/b?c=d")
    assert recorded.request.body == b'{"f": 1}'
    headers = dict(recorded.request.headers)
    assert (headers["Host"], headers["Content-Length"]) == ("a.example", "8")


@pytest.mark.parametrize(
    "changes",
    [
        {"method": 5},
        {"method": "\ud800"},
        {"url": 5},
        {"url": "http://[a/"},
        {"url": "http://a/\ud800"},
        {"headers": "abc"},
        {"headers": [{"name": 1, "value": "a"}]},
        {"headers": [{"name": "a", "value": 1}]},
        {"postData": "abc"},
        {"postData": {"text": "\ud800"}},
    ],
)
def test_har_entry_of_another_shape_is_unread(tmp_path: Path, changes: dict[str, object]) -> None:
    request = {"method": "GET", "url": "http://a/", "headers": []} | changes
    path = tmp_path / "a.har"
    path.write_text(json.dumps({"log": {"entries": [{"request": request}]}}))
    recording = Recording(path)
    assert list(recording) == []
    assert recording.unread == 1


@pytest.mark.parametrize("text", ['{"log":{"entries":5}}', '{"log":{"entries":' + "[" * 100_000, "\0"])
def test_malformed_har_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.har"
    path.write_text(text)
    with pytest.raises(ValueError, match="no HAR file"):
        list(Recording(path))


@pytest.mark.parametrize(
    "line", ['{"a":' + "[" * 100_000, '{"method": 5, "target": "/"}', '{"method": "GET", "target": ["/"]}']
)
def test_json_line_of_another_shape_is_no_request(line: str) -> None:
    assert read_line(line) is None


def test_file_that_is_no_har_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.har"
    path.write_text("{}")
    with pytest.raises(ValueError, match="is no HAR file"):
        list(Recording(path))


def test_summary_groups_matches_by_rule_and_path() -> None:
    lines = [
        ("/a?q=evil", "x"),
        ("/a?r=evil", "x"),
        ("/b?q=evil", "bot"),
        ("/c", "bot"),
        ("/outside?q=evil", "x"),
    ]
    requests = [
        recorded for path, agent in lines if (recorded := read_line(COMBINED.format("GET", path, agent)))
    ]

    def find(recorded: Recorded) -> Ruleset | None:
        return None if recorded.request.target.startswith("/outside") else RULES

    summary = replay(requests, find)
    assert (summary.requests, summary.outside, summary.matched, summary.blocked) == (5, 1, 4, 3)
    assert [(group.rule, group.path, group.count, group.blocked) for group in summary.sorted_groups()] == [
        (7, "/a", 2, 2),
        (7, "/b", 1, 1),
        (8, "/b", 1, 1),
        (8, "/c", 1, 0),
    ]
    assert summary.sorted_groups()[0].example == "ARGS:q = 'evil'"
