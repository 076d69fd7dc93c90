"""The OWASP CRS, test data that lies outside the project: its rules and its regression tests."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus, unquote_plus

import yaml

SETUP = """
SecRuleEngine DetectionOnly
SecRequestBodyAccess On
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 131072
SecResponseBodyAccess On
SecResponseBodyMimeType text/plain text/html text/xml
SecResponseBodyLimit 524288
SecRule REQUEST_HEADERS:Content-Type "^(?:application(?:/soap\\+|/)|text/)xml" \
    "id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "^application/(?:[a-z0-9.-]+[+])?json" \
    "id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecDefaultAction "phase:1,log,auditlog,pass"
SecDefaultAction "phase:2,log,auditlog,pass"
SecDefaultAction "phase:3,log,auditlog,pass"
SecDefaultAction "phase:4,log,auditlog,pass"
SecDefaultAction "phase:5,log,auditlog,pass"
"""
"""The engine's settings, as the recommended configuration has them, and the default actions of the run."""

RUN_LIMITS = (
    "setvar:tx.crs_validate_utf8_encoding=1,setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,"
    "setvar:tx.total_arg_length=6400,setvar:tx.max_num_args=255,setvar:tx.max_file_size=64100,"
    "setvar:tx.combined_file_sizes=65535"
)
"""The optional limits that the regression tests expect to be set."""

_REPEATED = re.compile(r'\{\{\s*"([^"]*)"\s*\|\s*repeat\s+(\d+)\s*\}\}')
_METHODS_WITH_BODY = re.compile(r"^POST|PUT|PATCH|DELETE$")
_FORM = "application/x-www-form-urlencoded"


def crs_folder() -> Path | None:
    """Return the folder named by ADC_CRS, or `shared/crs` beside the checkout or above it; None without one."""
    named = os.environ.get("ADC_CRS")
    parents = Path(__file__).resolve().parents[2:]
    candidates = [Path(named)] if named else [parent / "shared" / "crs" for parent in parents]
    return next((folder for folder in candidates if (folder / "rules").is_dir()), None)


def crs_sources(folder: Path, level: int, more: str = "") -> list[tuple[str, str]]:
    """Return the rule set's files, with both paranoia levels at `level`; `more` are other `setvar` actions."""
    setvars = [
        "setvar:tx.crs_setup_version=4290",
        f"setvar:tx.blocking_paranoia_level={level}",
        f"setvar:tx.detection_paranoia_level={level}",
        *([more] if more else []),
    ]
    setup = f'{SETUP}\nSecAction "id:900005,phase:1,nolog,pass,t:none,{",".join(setvars)}"\n'
    rules = sorted((folder / "rules").glob("*.conf"))
    return [("setup.conf", setup), *((str(path), path.read_text("utf-8")) for path in rules)]


@dataclass(frozen=True, slots=True)
class Response:
    """What the origin reflects."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Stage:
    """One request as bytes on the wire, and what the log must and must not say."""

    request: bytes
    expected: frozenset[int]
    unexpected: frozenset[int]
    status: int | None
    log_matches: str
    log_lacks: str


@dataclass(frozen=True, slots=True)
class Case:
    """A regression test: `920100-1`."""

    name: str
    file: Path
    stages: tuple[Stage, ...]


def crs_case_files(folder: Path) -> list[Path]:
    """Return the files of regression tests, sorted."""
    return sorted((folder / "tests").rglob("*.yaml"))


def read_cases(file: Path) -> Iterator[Case]:
    """Yield the tests of a file."""
    document = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
    for test in document["tests"]:
        stages = tuple(_stage(stage) for stage in test["stages"])
        yield Case(f"{document['rule_id']}-{test['test_id']}", file, stages)


def _stage(stage: dict) -> Stage:
    output = stage["output"]
    log = output.get("log") or {}
    return Stage(
        _wire_request(stage["input"]),
        frozenset(log.get("expect_ids") or ()),
        frozenset(log.get("no_expect_ids") or ()),
        output.get("status"),
        log.get("match_regex") or "",
        log.get("no_match_regex") or "",
    )


def _wire_request(given: dict) -> bytes:
    if given.get("encoded_request"):
        return base64.b64decode(given["encoded_request"])
    headers = {str(name): str(value) for name, value in (given.get("headers") or {}).items()}
    method = given.get("method", "GET")
    data = _data(given).encode()
    complete = given.get("autocomplete_headers", True)
    if data and complete:
        _add(headers, "Content-Type", _FORM)
        data = _form_encoded(headers, data)
    if _get(headers, "Content-Type").startswith("multipart/form-data;"):
        data = data.replace(b"\n", b"\r\n")
    if complete:
        _add(headers, "Connection", "close")
        if data or _METHODS_WITH_BODY.search(method):
            _add(headers, "Content-Length", str(len(data)))
    lines = [f"{method} {given.get('uri', '/')} {given.get('version', 'HTTP/1.1')}"]
    lines += [f"{name}: {headers[name]}" for name in sorted(headers)]
    return "\r\n".join([*lines, "", ""]).encode() + data


def _data(given: dict) -> str:
    data = given.get("data")
    return "" if data is None else _REPEATED.sub(lambda found: found[1] * int(found[2]), str(data))


def _get(headers: dict[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


def _add(headers: dict[str, str], name: str, value: str) -> None:
    if all(key.lower() != name.lower() for key in headers):
        headers[name] = value


def _form_encoded(headers: dict[str, str], data: bytes) -> bytes:
    """Encode names and values of a form that nobody encoded yet."""
    text = data.decode()
    if _get(headers, "Content-Type") != _FORM or re.search(r"\+|%", text):
        return data
    assert unquote_plus(text) == text
    return "&".join(_pair_encoded(pair) for pair in text.split("&")).encode()


def _pair_encoded(pair: str) -> str:
    name, equals, value = pair.partition("=")
    return quote_plus(name, safe="~") + equals + quote_plus(value, safe="~")


@dataclass(frozen=True, slots=True)
class WireRequest:
    """A request as a reader sees it that refuses nothing."""

    method: bytes
    target: bytes
    protocol: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


def read_request(data: bytes) -> WireRequest:
    """Return the request of a stage; its target may contain blanks. Chunks void Content-Length (RFC 9112, 6.3)."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = re.split(rb"\r?\n", head)
    method, _, rest = first.partition(b" ")
    target, _, protocol = rest.rpartition(b" ")
    pairs = [line.partition(b":") for line in lines]
    headers = tuple((name, value.strip(b" \t")) for name, _, value in pairs)
    if any(name.lower() == b"transfer-encoding" for name, _ in headers):
        headers = tuple(pair for pair in headers if pair[0].lower() != b"content-length")
    return WireRequest(method, target, protocol, headers, _body(headers, body))


def _body(headers: tuple[tuple[bytes, bytes], ...], rest: bytes) -> bytes:
    known = {name.lower(): value for name, value in headers}
    if known.get(b"transfer-encoding", b"").lower() == b"chunked":
        return _unchunked(rest)
    length = known.get(b"content-length", b"")
    return rest[: int(length)] if length.isdigit() else b""


def _unchunked(data: bytes) -> bytes:
    content = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size.partition(b";")[0] or b"0", 16)
        content += data[:length]
        data = data[length + 2 :] if length else b""
    return content


def reflected(request: WireRequest) -> Response | None:
    """Return what the origin answers to `POST /reflect`, None for other requests."""
    if request.target.partition(b"?")[0] != b"/reflect" or not request.body:
        return None
    try:
        wanted = json.loads(request.body)
    except ValueError:
        return Response(400, (), b"")
    headers = tuple((name.encode(), value.encode()) for name, value in (wanted.get("headers") or {}).items())
    body = wanted.get("body", "").encode()
    if wanted.get("encodedBody"):
        try:
            body = base64.b64decode(wanted["encodedBody"])
        except binascii.Error:
            body = b""
    return Response(wanted.get("status", 200), headers, body)
