"""Recorded requests: access logs in the formats `combined` and `json`, and HAR files of browsers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from adc_plugins.waf.code.examples import ExampleRequest, Fields, completed

_COMBINED: Final = re.compile(
    r'(?P<client>\S+) \S+ \S+ \[[^\]]*\] "(?P<method>[A-Za-z]+) (?P<target>\S+)(?: (?P<version>HTTP/[0-9.]+))?" '
    r'\d{3} \S+(?: "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?'
)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|(.))")
_NOT_SENT: Final = frozenset({"content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request of a log. `url` is whole where the log has the host."""

    request: ExampleRequest
    url: str
    client: str


class Recording:
    """The requests of a file. Lines that are no requests are counted in `unread`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.unread = 0

    def __iter__(self) -> Iterator[Recorded]:
        if self._is_har():
            yield from self._har()
            return
        with self._path.open(encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                recorded = read_line(line.rstrip("\n"))
                if recorded is not None:
                    yield recorded
                elif line.strip():
                    self.unread += 1

    def _is_har(self) -> bool:
        if self._path.suffix.lower() == ".har":
            return True
        with self._path.open("rb") as file:
            return re.match(rb'\s*\{\s*"log"\s*:', file.read(200)) is not None

    def _har(self) -> Iterator[Recorded]:
        try:
            entries = list(json.loads(self._path.read_bytes())["log"]["entries"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"{self._path} is no HAR file: {error}") from None
        for entry in entries:
            try:
                yield _har_request(entry["request"])
            except (KeyError, TypeError, ValueError, AttributeError):
                self.unread += 1


def read_line(line: str) -> Recorded | None:
    """Return the request of a line of an access log, None if there is none."""
    if line.startswith("{"):
        return _json_request(line)
    found = _COMBINED.match(line)
    if found is None:
        return None
    return _recorded(
        found["method"],
        _unescaped(found["target"]),
        found["version"] or "HTTP/1.1",
        {"Referer": _unescaped(found["referer"] or ""), "User-Agent": _unescaped(found["agent"] or "")},
        found["client"],
    )


def _json_request(line: str) -> Recorded | None:
    try:
        value = json.loads(line)
        fields = {
            "Host": value.get("authority", ""),
            "Referer": value.get("referer", ""),
            "User-Agent": value.get("user_agent", ""),
        }
        version = f"HTTP/{value.get('version') or '1.1'}"
        scheme, client = value.get("scheme") or "", value.get("client") or ""
        if not value["method"] or not value["target"]:
            return None
        return _recorded(value["method"], value["target"], version, fields, client, scheme)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _recorded(
    method: str, target: str, version: str, fields: Mapping[str, str], client: str, scheme: str = ""
) -> Recorded:
    headers = tuple((name, value) for name, value in fields.items() if value and value != "-")
    _check(method, target, version, client, scheme, *(value for _, value in headers))
    host = fields.get("Host") or ""
    url = f"{scheme or 'http'}://{host}{target}" if host and target.startswith("/") else target
    return Recorded(ExampleRequest(method, target, version, completed(headers, b""), b""), url, client)


def _har_request(value: Mapping[str, Any]) -> Recorded:
    url = urlsplit(value["url"])
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    body = _har_body(value.get("postData") or {})
    headers: Fields = tuple(
        (each["name"], each["value"])
        for each in value["headers"]
        if not each["name"].startswith(":") and each["name"].lower() not in _NOT_SENT
    )
    _check(value["method"], target, *(text for field in headers for text in field))
    if not any(name.lower() == "host" for name, _ in headers):
        headers = (("Host", url.netloc), *headers)
    request = ExampleRequest(value["method"], target, "HTTP/1.1", completed(headers, body), body)
    return Recorded(request, value["url"].partition("#")[0], "")


def _check(*texts: object) -> None:
    """Raise TypeError or ValueError for what is no text, or cannot have been bytes."""
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"{text!r:.40} is no text")
        text.encode("utf-8", "surrogateescape")


def _har_body(data: Mapping[str, Any]) -> bytes:
    text = data.get("text")
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else b""


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
