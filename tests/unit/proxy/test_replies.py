"""Whether an error page is HTML or JSON: `Accept` is a list."""

import pytest

from adc.http.headers import Headers
from adc.http.message import Request
from adc.proxy.replies import Replies

REPLIES = Replies({})


@pytest.mark.parametrize(
    ("accept", "json"),
    [
        ([], False),
        (["application/json"], True),
        (["application/json, text/html"], True),
        (["text/html", "application/json"], False),
        (["", " , ", "APPLICATION/JSON\t;\tq=0.9 ,", "text/html;Q=0.8"], True),
        (["text/html;q=0.1", "application/json;q=0.2"], True),
        (["application/json;q=0"], False),
        (["application/json;q=0, application/*"], True),
        (["application/*"], True),
        (["image/png", "*/*"], False),
    ],
)
def test_the_kind_of_page_follows_the_list_of_accept(accept, json):
    headers = Headers([(b"Accept", line.encode()) for line in accept])
    response, body = REPLIES.error(404, Request("GET", "/", "/", "", "a", "a", headers), "id")
    assert (b"json" in response.headers.get(b"content-type")) is json
    assert body.startswith(b"{") is json
