from __future__ import annotations

import os

import pytest

from adc.telemetry import tracing
from adc.telemetry.tracing import (
    TraceContext,
    accepted_request_id,
    new_request_id,
    parse_traceparent,
)

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01".encode()


def test_a_valid_traceparent_is_read() -> None:
    assert parse_traceparent(VALID) == TraceContext(TRACE, SPAN, 1)


def test_a_later_version_may_have_more_after_the_flags() -> None:
    assert parse_traceparent(b"cc" + VALID[2:] + b"-more") == TraceContext(TRACE, SPAN, 1)
    assert parse_traceparent(b"cc" + VALID[2:]) == TraceContext(TRACE, SPAN, 1)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        VALID.upper(),
        b"ff" + VALID[2:],
        VALID + b"-more",
        VALID + b"-",
        VALID + b"0",
        b"cc" + VALID[2:] + b"more",
        VALID + b"\n",
        b" " + VALID,
        VALID[:-1],
        VALID.replace(b"-", b"_"),
        VALID.replace(TRACE.encode(), b"0" * 32),
        VALID.replace(SPAN.encode(), b"0" * 16),
        VALID + b", " + VALID,
    ],
)
def test_anything_else_is_no_traceparent(value: bytes) -> None:
    assert parse_traceparent(value) is None


def test_request_ids_are_128_bits_and_differ_over_many_blocks() -> None:
    ids = [new_request_id() for _ in range(2000)]
    assert len(set(ids)) == 2000
    assert all(len(request_id) == 32 and int(request_id, 16) for request_id in ids)


def test_a_forked_process_does_not_repeat_its_parents_ids() -> None:
    new_request_id()
    assert tracing._ids
    reader, writer = os.pipe()
    if (pid := os.fork()) == 0:
        os.write(writer, new_request_id().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reader, 32).decode() != new_request_id()
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize(
    "value", [b"a", b"550e8400-e29b-41d4-a716-446655440000", b"Root=1-6:a/b+c._@", b"x" * 128]
)
def test_harmless_request_ids_are_kept(value: bytes) -> None:
    assert accepted_request_id(value) == value.decode()


@pytest.mark.parametrize(
    "value", [None, b"", b"x" * 129, b"a b", b"a\n", b'a"', b"a,b", b"a;b", b"\xff", b"<a>"]
)
def test_other_request_ids_are_not(value: bytes | None) -> None:
    assert accepted_request_id(value) is None
