"""Error pages: built-in ones and those of the configuration, HTML or JSON by the list of `Accept`."""

import json
from http import HTTPStatus

import pytest
from jinja2 import Environment, PackageLoader

from adc.http.headers import Headers
from adc.http.message import Request
from adc.proxy.pages.configured import Pages
from adc.proxy.replies import Replies, wants_json

REPLIES = Replies()


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


@pytest.mark.parametrize("status", [400, 404, 499, 503])
def test_built_in_page_is_what_the_template_engine_would_make_of_it(status):
    template = Environment(autoescape=True, loader=PackageLoader("adc.proxy", "pages")).get_template(
        "error.html.j2"
    )
    _, body = REPLIES.error(status, None, "the-id")
    phrase = "Error" if status == 499 else HTTPStatus(status).phrase
    hint = body.partition(b"<p>")[2].partition(b"</p>")[0].decode()
    assert body.decode() == template.render(status=status, phrase=phrase, hint=hint, request_id="the-id")


def test_json_page_names_status_phrase_hint_and_request():
    request = Request("GET", "/", "/", "", "a", "a", Headers([(b"Accept", b"application/json")]))
    _, body = REPLIES.error(404, request, "the-id")
    assert json.loads(body) == {
        "status": 404,
        "error": "Not Found",
        "detail": "Nothing is served here.",
        "request_id": "the-id",
    }


def test_template_of_the_configuration_may_extend_the_built_in_page(tmp_path):
    page = tmp_path / "418.html"
    page.write_text(
        '{% include "error.html.j2" %}{% if status > 417 %}{{ phrase }} {{ request_id }}{% endif %}'
    )
    _, body = Replies(Pages([{"418": str(page)}])).error(418, None, "the-id")
    assert body.startswith(b"<!doctype html>")
    assert body.endswith(b"I&#39;m a Teapot the-id")


def test_a_page_by_status_comes_before_one_by_class_and_a_layer_before_the_next(tmp_path):
    for name in ("route_404", "route_4xx", "all_403", "all_5xx"):
        (tmp_path / name).write_text(f"{name} {{{{ status }}}}")
    layers = [
        {"404": str(tmp_path / "route_404"), "4xx": str(tmp_path / "route_4xx")},
        {"403": str(tmp_path / "all_403"), "5xx": str(tmp_path / "all_5xx")},
    ]
    replies = Replies(Pages(layers))
    for status, text in (
        (404, b"route_404 404"),
        (403, b"route_4xx 403"),
        (499, b"route_4xx 499"),
        (502, b"all_5xx 502"),
        (599, b"all_5xx 599"),
    ):
        assert replies.error(status, None, "id")[1] == text


def test_a_template_that_fails_for_an_unknown_status_gives_the_built_in_page(tmp_path):
    page = tmp_path / "5xx.html"
    page.write_text("{{ 1 // (599 - status) }}")
    assert b"<!doctype html>" in Replies(Pages([{"5xx": str(page)}])).error(599, None, "id")[1]


@pytest.mark.parametrize(
    ("accept", "unsaid", "json"),
    [([], True, True), (["*/*"], True, True), (["*/*"], False, False), (["text/html, */*"], True, False)],
)
def test_clients_that_do_not_say_get_what_the_application_sent(accept, unsaid, json):
    headers = Headers([(b"Accept", line.encode()) for line in accept])
    assert wants_json(Request("GET", "/", "/", "", "a", "a", headers), unsaid) is json
