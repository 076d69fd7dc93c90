from __future__ import annotations

import pytest
from adc_plugins.waf.code.examples import Example, ExampleError, parse_request, parse_response


def test_request_line_alone_is_a_request() -> None:
    request = parse_request("GET /a?b=c")
    assert (request.method, request.target, request.protocol, request.body) == (
        "GET",
        "/a?b=c",
        "HTTP/1.1",
        b"",
    )
    assert dict(request.headers) == {"Host": "www.example.com", "User-Agent": "Mozilla/5.0", "Accept": "*/*"}


def test_fields_and_body_are_read_from_indented_text() -> None:
    request = parse_request(
        """
        POST /a HTTP/1.0
        host: b
        Content-Type: application/json

        {"c": "é"}
        """
    )
    assert request.protocol == "HTTP/1.0"
    assert request.headers[:2] == (("host", "b"), ("Content-Type", "application/json"))
    assert request.body == '{"c": "é"}\n'.encode()
    assert ("Content-Length", "12") in request.headers


def test_body_without_content_type_is_a_form() -> None:
    assert ("Content-Type", "application/x-www-form-urlencoded") in parse_request("POST /\n\na=b").headers


def test_response_is_read() -> None:
    response = parse_response("500\nX-A: b\n\nerror")
    assert (response.status, response.body) == (500, b"error")
    assert response.headers == (("X-A", "b"), ("Content-Type", "text/html"))


@pytest.mark.parametrize(
    ("example", "problem"),
    [
        (Example("GET"), "METHOD TARGET"),
        (Example("GET /\nHost"), "not a header field"),
        (Example("GET /", "99"), "not a status"),
        (Example(""), "METHOD TARGET"),
    ],
)
def test_text_that_is_no_request_is_an_error(example: Example, problem: str) -> None:
    with pytest.raises(ExampleError, match=problem):
        Example.of(example)
