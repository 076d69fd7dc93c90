import pytest
from adc_plugins.waf.bodies.parsed import Limits
from adc_plugins.waf.bodies.processor import parse_body

ESCAPED = b'{"a": "\\u003cb\\u003e"}'
MULTIPART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n%s\r\n%s\r\n--b--\r\n'


def arguments(content, content_type=b"", processor="", **limits):
    body = parse_body(processor, content, content_type, Limits(**limits))
    assert not body.error
    return body.arguments


@pytest.mark.parametrize(
    ("content", "content_type", "found"),
    [
        (ESCAPED, b"", [(b"json.a", b"<b>")]),
        (ESCAPED, b"text/plain", [(b"json.a", b"<b>")]),
        (b"\xef\xbb\xbf \n" + ESCAPED, b"", [(b"json.a", b"<b>")]),
        (b"a=%3Cb%3E&c=d", b"", [(b"a", b"<b>"), (b"c", b"d")]),
        (b"a=%3Cb%3E", b"text/plain, application/x-www-form-urlencoded", [(b"a", b"<b>")]),
        (MULTIPART % (b"", b"x"), b"multipart/mixed; boundary=b", [(b"a", b"x")]),
        (b"a=1\0", b"application/octet-stream", []),
        (b"\x89PNG\r\n", b"image/png", []),
        (b"A text, no form: a=1", b"text/plain", []),
        (b"<a><b", b"text/html", []),
        (b"", b"", []),
    ],
)
def test_body_of_another_type_is_read_by_what_it_looks_like(content, content_type, found):
    assert arguments(content, content_type) == found


def test_text_behind_an_undeclared_document_is_read():
    assert (b"json.a", b"<b>") in arguments(b'{"b": 1}\n' + ESCAPED)


def test_undeclared_xml_is_a_document():
    body = parse_body("", b"<a>&#60;b></a>", b"image/svg+xml", Limits())
    assert body.document.select("/*", ()) == [(b"", b"<b>")]


def test_undeclared_arguments_beyond_the_limit_become_one_without_an_error():
    found = arguments(b"a=1&b=2&c=%3C", arguments=2)
    assert found == [(b"a", b"1"), (b"b", b"2"), (b"", b"c=<")]


def test_json_sent_as_a_form_is_read_as_both():
    found = arguments(ESCAPED, b"application/x-www-form-urlencoded", "URLENCODED")
    assert found == [(ESCAPED, b""), (b"json.a", b"<b>")]


@pytest.mark.parametrize("file_name", [b"", b'; filename="blob"'])
def test_json_in_a_part_is_parsed(file_name):
    content = MULTIPART.replace(b'name="a"', b'name="a"' + file_name) % (
        b"Content-Type: application/json\r\n",
        ESCAPED,
    )
    assert (b"a.json.a", b"<b>") in arguments(content, b"multipart/form-data; boundary=b", "MULTIPART")
