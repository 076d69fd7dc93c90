import pytest
from adc_plugins.waf.bodies.parsed import Limits
from adc_plugins.waf.bodies.xml_document import parse_xml


def parse(content, **limits):
    return parse_xml(content, b"text/xml", Limits(**limits))


def select(content, expression, namespaces=(), **limits):
    return [value for _, value in parse(content, **limits).document.select(expression, namespaces)]


@pytest.mark.parametrize(
    ("content", "expression", "values"),
    [
        (b'<a x="1"><b>t1</b>\n<c z="3"/>t2</a>', "/*", [b"t1\nt2"]),
        (b'<a x="1" y="&lt;"><c z="3"/></a>', "//@*", [b"1", b"<", b"3"]),
        (b"<a>v<![CDATA[<x>]]><!-- c --><?pi d?></a>", "/*", [b"v<x>"]),
        (b"<a><b>1</b><b>2</b></a>", "//b", [b"1", b"2"]),
        (b"<a><b>1</b></a>", "count(//b)", [b"1.0"]),
        (b"<a/>", "//[", []),
        ('<?xml version="1.0" encoding="utf-16"?><a>값</a>'.encode("utf-16"), "/*", ["값".encode()]),
    ],
)
def test_expression_selects_text(content, expression, values):
    assert select(content, expression) == values


def test_namespaces_bind_prefixes():
    content = b'<a xmlns:n="u"><n:b>v</n:b></a>'
    assert select(content, "//p:b", (("p", "u"),)) == [b"v"]
    assert select(content, "//p:b") == []


@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"<a><b>",
        b"<a/>trail",
        b"<a>" * 300 + b"</a>" * 300,
        b'<!DOCTYPE a [<!ENTITY e "E">]><a>&e;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        '<!DOCTYPE a [<!ENTITY e "E">]><a>&e;</a>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="unknown"?><a/>',
        b"<a>\xff</a>",
    ],
)
def test_refused_document_is_an_error_and_visible_as_received(content):
    body = parse(content)
    assert body.error or body.unfinished
    assert select(content, "/*") == [content]


def test_external_entity_is_not_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    content = f'<!DOCTYPE a [<!ENTITY e SYSTEM "{secret.as_uri()}">]><a>&e;</a>'.encode()
    assert parse(content).error
    assert b"secret" not in b"".join(select(content, "/*")).replace(secret.as_uri().encode(), b"")


def test_nodes_beyond_the_limit_are_joined():
    assert select(b'<a a="1" b="2" c="3" d="4"/>', "//@*", arguments=2) == [b"1", b"2", b"3\n4"]
