"""Plugins that replace response content: what they are given, and the head that follows from it."""

from __future__ import annotations

import gzip

import pytest

from adc.http.message import UNKNOWN_LENGTH
from adc.plugin import Context, NoOptions, Plugin
from adc.plugin.chain import Chain
from adc.plugin.options import make_use
from adc.plugin.testkit import Trial, answer, request

FIELDS = {
    "ETag": '"1"',
    "Accept-Ranges": "bytes",
    "Content-MD5": "x",
    "Content-Digest": "x",
    "Last-Modified": "Sat, 28 Nov 2026 12:00:00 GMT",
}


class Upper(Plugin[NoOptions]):
    transforms = True

    def response_body(self, context: Context, data: bytes, end: bool) -> bytes:
        return data.upper()


class Skips(Upper):
    def response_head(self, context: Context) -> None:
        context.skip_response_body()


class Watches(Upper):
    observes = True


class HeadOnly(Plugin[NoOptions]):
    transforms = True

    def response_head(self, context: Context) -> None:
        """Change nothing."""


class Marks(Plugin[NoOptions]):
    def request_head(self, context: Context) -> None:
        context.vary_cache(context.request.headers.get(b"mark") or b"")


def test_head_is_restated_for_content_that_a_plugin_replaces() -> None:
    outcome = Trial(Upper).run(request(), answer(headers=FIELDS, body=b"content"))
    headers = outcome.response.headers
    assert outcome.body == b"CONTENT"
    assert headers.get(b"etag") == b'W/"1"'
    assert b"last-modified" in headers
    assert not {b"accept-ranges", b"content-md5", b"content-digest"} & set(headers.index)
    assert outcome.response.body_length == UNKNOWN_LENGTH


@pytest.mark.parametrize("plugin", [Skips, Watches, HeadOnly])
def test_head_stays_where_no_plugin_replaces_content(plugin: type[Plugin[NoOptions]]) -> None:
    answered = answer(headers=FIELDS, body=b"content")
    pairs = list(answered[0].headers.pairs)
    outcome = Trial(plugin).run(request(), answered)
    assert outcome.response.headers.pairs == pairs
    assert (outcome.body, outcome.response.body_length) == (b"content", 7)


def test_coded_content_reaches_the_plugin_plain() -> None:
    coded = answer(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b"content"))
    outcome = Trial(Upper).run(request(), coded)
    assert outcome.body == b"CONTENT"
    assert b"content-encoding" not in outcome.response.headers


def test_skipped_response_keeps_its_coding() -> None:
    coded = gzip.compress(b"content")
    outcome = Trial(Skips).run(request(), answer(headers={"Content-Encoding": "gzip"}, body=coded))
    assert (outcome.body, outcome.response.headers.get(b"content-encoding")) == (coded, b"gzip")


@pytest.mark.parametrize(
    ("status", "fields"),
    [(206, {}), (200, {"Content-Encoding": "pack"}), (200, {"Content-Encoding": "gzip, br"})],
)
def test_content_that_cannot_be_made_plain_and_whole_fails_the_plugin(
    status: int, fields: dict[str, str]
) -> None:
    answered = answer(status, fields, b"content")
    outcome = Trial(Upper).run(request(), answered)
    assert (outcome.response.status, len(outcome.messages)) == (500, 1)
    outcome = Trial(Upper, {"on_error": "fail_open"}).run(request(), answered)
    assert (outcome.response.status, outcome.body) == (status, b"content")


def test_response_without_content_keeps_its_length() -> None:
    outcome = Trial(Upper).run(request(), answer(headers=FIELDS))
    assert outcome.response.body_length == 0


def test_plugin_is_not_called_for_head_but_its_head_is_that_of_a_get() -> None:
    outcome = Trial(Upper).run(request("HEAD"), answer(headers=FIELDS, body=b"content"))
    assert (outcome.response.headers.get(b"etag"), outcome.response.body_length) == (b'W/"1"', UNKNOWN_LENGTH)


def test_chunks_reach_the_plugin_one_by_one() -> None:
    class Counts(Upper):
        def response_body(self, context: Context, data: bytes, end: bool) -> bytes:
            return b"[" + data + b"]"

    outcome = Trial(Counts).run(request(), answer(body=[b"a", b"b"]))
    assert outcome.body == b"[a][b]"


def test_mark_varies_the_cache() -> None:
    outcome = Trial(Marks).run(request(headers={"Mark": "webp"}))
    assert outcome.cache_mark == b"webp"


def test_mark_over_255_bytes_is_rejected() -> None:
    outcome = Trial(Marks).run(request(headers={"Mark": "m" * 255}))
    assert len(outcome.cache_mark) == 255
    outcome = Trial(Marks).run(request(headers={"Mark": "m" * 256}))
    assert outcome.response.status == 500
    assert "at most 255" in str(outcome.messages[0]["detail"])


def test_chain_tells_if_content_is_replaced() -> None:
    chain = Chain("r", [make_use("a", HeadOnly, {}), make_use("b", Upper, {})])
    contexts = chain.contexts(request(), "id", None)  # type: ignore[arg-type]
    assert chain.responses.transforming == (1,)
    assert chain.transforms(chain.responses, contexts, 2)
    assert not chain.transforms(chain.responses, contexts, 1)
    contexts[1].skip_response_body()
    assert not chain.transforms(chain.responses, contexts, 2)


def test_head_is_restated_before_the_next_plugin_sees_it() -> None:
    seen = []

    class Sees(Plugin[NoOptions]):
        def response_head(self, context: Context) -> None:
            assert context.response is not None
            seen.append(context.response.headers.get(b"content-encoding"))

    chain = Chain("r", [make_use("a", Sees, {}), make_use("b", Upper, {})])
    contexts = chain.contexts(request(), "id", None)  # type: ignore[arg-type]
    contexts[0].response = contexts[1].response = answer(headers={"Content-Encoding": "br"}, body=b"x")[0]
    assert chain.responses.head.run(contexts, 2) is None
    assert seen == [None]
