import pytest
from adc_plugins.waf.bodies.parsed import Limits
from adc_plugins.waf.collect.facts import RequestFacts
from adc_plugins.waf.collect.variables import Variables

LIMITS = Limits()
FORM = (b"Content-Type", b"application/x-www-form-urlencoded")


def variables(target=b"/", *headers, method=b"GET", limits=LIMITS):
    connection = (b"203.0.113.7", 4000, b"192.0.2.1", 80)
    return Variables(RequestFacts(method, target, b"HTTP/1.1", headers, *connection, b"id-1", 0.5), limits)


def value(of, name):
    [(key, content)] = of.get(name)
    assert key == b""
    return content


@pytest.mark.parametrize(
    ("target", "filename", "basename", "uri", "query"),
    [
        (b"/", b"/", b"", b"/", b""),
        (b"/a%41/c%20d.php?x=%41+b", b"/aA/c d.php", b"c d.php", b"/aA/c d.php?x=A+b", b"x=%41+b"),
        (b"/a\\b;p?x=http://e", b"/a\\b;p", b"b;p", b"/a\\b;p?x=http://e", b"x=http://e"),
        (b"http://h.example/p%61th?q", b"/path", b"path", b"/path?q", b"q"),
        (b"http://h.example", b"/", b"", b"/", b""),
        (b"http://h.example?q=1", b"/", b"", b"/?q=1", b"q=1"),
        (b"*", b"*", b"*", b"*", b""),
        (b"/a%3Fb?c", b"/a?b", b"a?b", b"/a?b?c", b"c"),
        (b"/%zz%", b"/%zz%", b"%zz%", b"/%zz%", b""),
        (b"//x/y?", b"//x/y", b"y", b"//x/y?", b""),
    ],
)
def test_target_parts_are_decoded_but_not_the_query(target, filename, basename, uri, query):
    given = variables(target)
    assert value(given, "REQUEST_FILENAME") == value(given, "PATH_INFO") == filename
    assert value(given, "REQUEST_BASENAME") == basename
    assert value(given, "REQUEST_URI") == uri
    assert value(given, "REQUEST_URI_RAW") == target
    assert value(given, "QUERY_STRING") == query


def test_arguments_of_query_and_body_are_joined_in_this_order():
    given = variables(b"/?a=1&b=%2B", FORM, method=b"POST")
    assert list(given.get("ARGS")) == [(b"a", b"1"), (b"b", b"+")]
    given.set_request_body(b"c=x+y", truncated=False, processor="URLENCODED")
    assert list(given.get("ARGS")) == [(b"a", b"1"), (b"b", b"+"), (b"c", b"x y")]
    assert list(given.get("ARGS_GET_NAMES")) == [(b"a", b"a"), (b"b", b"b")]
    assert list(given.get("ARGS_POST")) == [(b"c", b"x y")]
    assert value(given, "ARGS_COMBINED_SIZE") == b"8"


def test_select_finds_items_in_any_case_of_letters():
    given = variables(b"/", (b"X-A", b"1"), (b"x-a", b"2"), (b"X-B", b"3"))
    assert list(given.select("REQUEST_HEADERS", b"x-a")) == [(b"X-A", b"1"), (b"x-a", b"2")]
    assert not given.select("REQUEST_HEADERS", b"x-c")


def test_selected_arguments_follow_the_body():
    given = variables(b"/?a=1", FORM)
    assert list(given.select("ARGS", b"a")) == [(b"a", b"1")]
    given.set_request_body(b"A=2", truncated=False, processor="URLENCODED")
    assert list(given.select("ARGS", b"a")) == [(b"a", b"1"), (b"A", b"2")]


def test_invalid_escape_sets_the_error_and_is_kept():
    given = variables(b"/?a=%zz")
    assert list(given.get("ARGS")) == [(b"a", b"%zz")]
    assert value(given, "URLENCODED_ERROR") == b"1"
    assert value(variables(b"/?a=%41"), "URLENCODED_ERROR") == b"0"


def test_arguments_beyond_the_limit_become_one_value():
    target = b"/?" + b"&".join(b"a=%d" % number for number in range(1003))
    arguments = variables(target).get("ARGS")
    assert len(arguments) == 1001
    assert arguments[-1] == (b"", b"a=1000&a=1001&a=1002")


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        (b"a=b; c=d", [(b"a", b"b"), (b"c", b"d")]),
        (
            b" a=b; c =d ;; e; g=h=i ; a=%41+ ",
            [(b"a", b"b"), (b"c ", b"d "), (b"e", b""), (b"g", b"h=i "), (b"a", b"%41+")],
        ),
        (b"=hidden; x", [(b"", b"hidden"), (b"x", b"")]),
        (b'a="x;y"', [(b"a", b'"x'), (b'y"', b"")]),
        (b"", []),
    ],
)
def test_cookies_are_read_undecoded(header, cookies):
    given = variables(b"/", (b"COOKIE", header))
    assert list(given.get("REQUEST_COOKIES")) == cookies
    assert list(given.get("REQUEST_COOKIES_NAMES")) == [(name, name) for name, _ in cookies]


@pytest.mark.parametrize(
    ("host", "name"), [(b"a.example:80", b"a.example"), (b"[::1]:80", b"[::1]"), (b"a", b"a"), (b"", b"")]
)
def test_server_name_is_the_host_without_port(host, name):
    assert value(variables(b"/", (b"Host", host)), "SERVER_NAME") == name


def test_basic_authorization_gives_scheme_and_user():
    given = variables(b"/", (b"Authorization", b"Basic dXNlcjpwYXNz"))
    assert value(given, "AUTH_TYPE") == b"Basic"
    assert value(given, "REMOTE_USER") == b"user"
    assert value(variables(b"/", (b"Authorization", b"Basic a")), "REMOTE_USER") == b""


def test_content_type_chooses_the_processor_unless_a_rule_does():
    given = variables(b"/", FORM)
    assert value(given, "REQBODY_PROCESSOR") == b"URLENCODED"
    given.choose_processor("JSON")
    assert value(given, "REQBODY_PROCESSOR") == b"JSON"


def test_unknown_processor_is_a_body_error():
    given = variables(b"/")
    given.set_request_body(b"x", truncated=True, processor="YAML")
    assert value(given, "REQBODY_ERROR") == value(given, "INBOUND_DATA_ERROR") == b"1"
    assert b"YAML" in value(given, "REQBODY_ERROR_MSG")


def test_response_variables_follow_head_and_body():
    given = variables(b"/")
    assert value(given, "RESPONSE_STATUS") == b""
    given.set_response_head(
        404, b"HTTP/1.1", [(b"Content-Type", b"text/html; charset=x"), (b"Content-Length", b"9")]
    )
    assert value(given, "RESPONSE_STATUS") == b"404"
    assert value(given, "STATUS_LINE") == b"HTTP/1.1 404 Not Found"
    assert value(given, "RESPONSE_CONTENT_TYPE") == b"text/html"
    assert value(given, "RESPONSE_CONTENT_LENGTH") == b"9"
    given.set_response_body(b"hello", truncated=True)
    assert value(given, "RESPONSE_BODY") == b"hello"
    assert value(given, "OUTBOUND_DATA_ERROR") == b"1"


def test_variable_of_the_engine_is_empty_here():
    assert not variables().get("TX")


@pytest.mark.parametrize(
    ("processor", "content", "shown"),
    [
        ("URLENCODED", b"a=1", True),
        ("", b"anything", True),
        ("JSON", b"{}", False),
        ("JSON", b"{", True),
        ("XML", b"<a/>", False),
        ("XML", b"<a>", True),
        ("MULTIPART", b"x", True),
    ],
)
def test_request_body_is_empty_if_a_processor_understood_it(processor, content, shown):
    given = variables()
    given.set_request_body(content, truncated=False, processor=processor)
    assert value(given, "REQUEST_BODY") == (content if shown else b"")
    assert value(given, "REQUEST_BODY_LENGTH") == b"%d" % len(content)
    given.force_request_body()
    assert value(given, "REQUEST_BODY") == content


def test_values_of_json_are_arguments_but_not_posted_ones():
    given = variables()
    given.set_request_body(b'{"a":1}', truncated=False, processor="JSON")
    assert list(given.get("ARGS")) == [(b"json.a", b"1")]
    assert not given.get("ARGS_POST")


def test_files_are_keyed_by_their_field():
    body = b'--B\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\nhello\r\n--B--'
    given = variables(b"/", (b"Content-Type", b"multipart/form-data; boundary=B"))
    given.set_request_body(body, truncated=False, processor=given.processor)
    assert list(given.get("FILES")) == [(b"f", b"x")]
    assert list(given.get("FILES_NAMES")) == [(b"f", b"f")]
    assert list(given.get("FILES_SIZES")) == [(b"f", b"5")]
    assert list(given.get("FILES_TMP_CONTENT")) == [(b"f", b"hello")]
    assert value(given, "FILES_COMBINED_SIZE") == b"5"
    assert value(given, "MULTIPART_STRICT_ERROR") == b"0"


def test_xpath_selects_from_an_xml_body_and_from_nothing_else():
    given = variables()
    assert not given.xml("/*")
    given.set_request_body(b'<a b="1">c</a>', truncated=False, processor="XML")
    assert given.xml("/*") == [(b"", b"c")]
    assert given.xml("//@*") == [(b"", b"1")]
    assert len(given.get("XML")) == 1


@pytest.mark.parametrize(
    ("processor", "content"),
    [("URLENCODED", b"a=1&b=2"), ("JSON", b"[1, 2]"), ("XML", b"<a>123</a>")],
)
def test_limits_of_a_body_are_errors(processor, content):
    given = variables(limits=Limits(no_files_bytes=4))
    given.set_request_body(content, truncated=False, processor=processor)
    assert b"longer than 4" in value(given, "REQBODY_ERROR_MSG")


@pytest.mark.parametrize(
    ("processor", "content", "visible"),
    [
        ("JSON", b'{"a":"attack","b":"cu', b"attack"),
        ("JSON", b'{"a":"attack","b":"\\u00', b"attack"),
        ("JSON", b'{"a":"attack","b":tr', b"attack"),
        ("XML", b"<a><b>attack</b><c", b"attack"),
        ("MULTIPART", b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nattack', b"attack"),
        ("MULTIPART", b'--B\r\nContent-Disposition: form-data; name="attack', b"attack"),
        ("URLENCODED", b"a=attack&b", b"attack"),
    ],
)
def test_missing_end_is_an_error_only_if_the_whole_body_was_received(processor, content, visible):
    for truncated in (False, True):
        given = variables(b"/", (b"Content-Type", b"multipart/form-data; boundary=B"))
        given.set_request_body(content, truncated=truncated, processor=processor)
        whole_error = not truncated and processor != "URLENCODED"
        assert value(given, "REQBODY_ERROR") == (b"1" if whole_error else b"0")
        assert value(given, "MULTIPART_STRICT_ERROR") == b"0"
        items = [*given.get("ARGS"), *given.xml("/*")]
        assert any(visible in item for _, item in items)


def test_error_before_the_missing_end_remains_an_error():
    given = variables()
    given.set_request_body(b'{"a":b,"c":"attack"', truncated=True, processor="JSON")
    assert value(given, "REQBODY_ERROR") == b"1"


def test_several_content_types_are_a_body_error():
    given = variables(b"/", FORM, (b"content-type", b"application/json"))
    given.set_request_body(b"a=1", truncated=False, processor=given.processor)
    assert value(given, "REQBODY_ERROR") == b"1"
