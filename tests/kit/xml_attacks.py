"""Hostile XML documents: name -> (Content-Type, other fields, content). All of them are to be refused."""

import gzip
import zlib

TEXT = "text/xml"
_MB = 1 << 20


def _dtd(subset, body="<order>&x;</order>"):
    return f'<?xml version="1.0"?><!DOCTYPE order [{subset}]>{body}'


def _laughs(levels=10, width=10):
    entities = "".join(
        f'<!ENTITY l{level} "{f"&l{level - 1};" * width if level else "ha"}">' for level in range(levels)
    )
    return _dtd(entities, f"<order>&l{levels - 1};</order>")


def _gzip_bomb(megabytes):
    """Return gzip of an element of so many megabytes of spaces: one block that stands there again and again."""
    spaces = b" " * _MB
    deflate = zlib.compressobj(9, wbits=-15)
    start = deflate.compress(b"<o>") + deflate.flush(zlib.Z_FULL_FLUSH)
    block = deflate.compress(spaces) + deflate.flush(zlib.Z_FULL_FLUSH)
    check = zlib.crc32(b"<o>")
    for _ in range(megabytes):
        check = zlib.crc32(spaces, check)
    end = check.to_bytes(4, "little") + (3 + megabytes * _MB).to_bytes(4, "little")
    return gzip.compress(b"")[:10] + start + block * megabytes + deflate.flush() + end


def _declared(encoding, text="<order>x</order>"):
    return f'<?xml version="1.0" encoding="{encoding}"?>{text}'


_XXE = '<!ENTITY x SYSTEM "file:///etc/passwd">'
_INCLUDE = '<order xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="file:///etc/passwd"/></order>'
_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

_TEXTS = {
    # Entities.
    "billion laughs": _laughs(),
    "billion laughs, wide": _laughs(5, 200),
    "quadratic blow-up": _dtd(f'<!ENTITY x "{"a" * 50_000}">', f"<order>{'&x;' * 50_000}</order>"),
    "parameter laughs": _dtd('<!ENTITY % a "&#37;b;&#37;b;"><!ENTITY % b "&#37;a;">%a;'),
    "recursive entity": _dtd('<!ENTITY x "&y;"><!ENTITY y "&x;">'),
    "entity in attribute": _dtd('<!ENTITY x "1">', '<order a="&x;"/>'),
    "external entity, file": _dtd(_XXE),
    "external entity, http": _dtd('<!ENTITY x SYSTEM "http://127.0.0.1:9/x">'),
    "external entity, ftp": _dtd('<!ENTITY x SYSTEM "ftp://127.0.0.1:9/x">'),
    "external entity, php": _dtd(
        '<!ENTITY x SYSTEM "php://filter/convert.base64-encode/resource=index.php">'
    ),
    "external entity, expect": _dtd('<!ENTITY x SYSTEM "expect://id">'),
    "external entity, jar": _dtd('<!ENTITY x SYSTEM "jar:http://127.0.0.1:9/x!/y">'),
    "external entity, public": _dtd('<!ENTITY x PUBLIC "-//X" "file:///etc/passwd">'),
    "external parameter entity": _dtd('<!ENTITY % p SYSTEM "http://127.0.0.1:9/evil.dtd">%p;'),
    "out of band": _dtd(
        '<!ENTITY % f SYSTEM "file:///etc/hostname"><!ENTITY % d SYSTEM "http://127.0.0.1:9/d">%d;%s;'
    ),
    "error based": _dtd('<!ENTITY % l SYSTEM "file:///usr/share/yelp/dtd/docbookx.dtd"><!ENTITY % I "x">%l;'),
    "unparsed entity": _dtd('<!NOTATION n SYSTEM "x"><!ENTITY x SYSTEM "file:///etc/passwd" NDATA n>'),
    "undefined entity": "<order>&x;</order>",
    # Document types by other ways.
    "external subset": '<!DOCTYPE order SYSTEM "http://127.0.0.1:9/x.dtd"><order/>',
    "public subset": '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://127.0.0.1:9/x.dtd"><html/>',
    "plain doctype": "<!DOCTYPE order><order/>",
    "doctype after comment": "<!-- x --><?pi?><!DOCTYPE order []><order/>",
    "doctype in lower case": "<!doctype order []><order/>",
    "doctype after root": f"<order/><!DOCTYPE order [{_XXE}]>",
    "doctype in element": f"<order><!DOCTYPE order [{_XXE}]></order>",
    "attribute default": _dtd('<!ATTLIST order a CDATA "x">', "<order/>"),
    "endless doctype": "<!DOCTYPE order [" + "<!-- x -->" * 100_000,
    "doctype with a long name": "<!DOCTYPE " + "a" * _MB,
    "conditional section": _dtd("<![INCLUDE[<!ENTITY x 'y'>]]>"),
    # Size and shape.
    "deep nesting": "<a>" * 200_000,
    "deep nesting, closed": "<a>" * 100 + "</a>" * 100,
    "deep nesting in a namespace": '<a xmlns="urn:x">' * 50_000,
    "huge attribute": f'<order a="{"x" * 900_000}"/>',
    "huge attribute without end": '<order a="' + "x" * 900_000,
    "many attributes": "<order " + " ".join(f'a{number}="1"' for number in range(50_000)) + "/>",
    "many attributes on many elements": "<o>" + '<i a="" b="" c="" d="" e="" f=""/>' * 30_000 + "</o>",
    "duplicate attributes": "<order " + 'a="1" ' * 1000 + "/>",
    "duplicate by namespace": '<o xmlns:a="urn:x" xmlns:b="urn:x" a:c="1" b:c="2"/>',
    "huge element name": f"<{'n' * 900_000}/>",
    "long element name": f"<{'n' * 1000}/>",
    "huge prefix": f'<o xmlns:{"p" * 1000}="urn:x"/>',
    "huge attribute name": f'<order {"n" * 1000}="1"/>',
    "many names": "<o>" + "".join(f"<n{number}/>" for number in range(100_000)) + "</o>",
    "many elements": "<o>" + "<i/>" * 250_000 + "</o>",
    "long comment": f"<order><!--{'x' * 900_000}--></order>",
    "comment without end": "<order><!--" + "x" * 900_000,
    "long instruction": f"<order><?x {'y' * 900_000}?></order>",
    "instruction without end": "<?x " + "y" * 900_000,
    "long CDATA": f"<order><![CDATA[{'x' * (_MB + 1)}]]></order>",
    "CDATA without end": "<order><![CDATA[" + "x" * 900_000,
    "long text": f"<order>{'x' * (_MB + 1)}</order>",
    "many character references": f"<order>{'&#65;' * 250_000}",
    "spaces before the end of a tag": f"<order{' ' * 900_000}/>",
    "namespace bomb, declarations": "<o "
    + " ".join(f'xmlns:n{number}="urn:{number}"' for number in range(40_000))
    + "/>",
    "namespace bomb, nested": "".join(f'<o xmlns:n{number}="urn:{number}">' for number in range(30_000)),
    "namespace bomb, long": f'<o xmlns="urn:{"x" * 100_000}">{"<i/>" * 100_000}</o>',
    "hash collisions": "<o "
    + " ".join(f'{"Aa" * bool(n & 1)}{"BB" * (not n & 1)}{n}="1"' for n in range(40_000))
    + "/>",
    "undeclared prefix": "<x:order/>",
    "prefix xml bound anew": '<o xmlns:xml="urn:x"/>',
    # Fetching.
    "XInclude": _INCLUDE,
    "XInclude, http": _INCLUDE.replace("file:///etc/passwd", "http://127.0.0.1:9/x"),
    "XInclude, old namespace": _INCLUDE.replace("2001/XI", "2003/XI"),
    "XInclude by references": _INCLUDE.replace("2001/XI", "2001&#47;&#x58;I"),
    "schema location": f'<order {_XSI} xsi:schemaLocation="urn:x http://127.0.0.1:9/x.xsd"/>',
    "schema location without namespace": f'<order {_XSI} xsi:noNamespaceSchemaLocation="file:///etc/passwd"/>',
    "schema location, other prefix": f'<order {_XSI.replace("xsi", "q")} q:schemaLocation="urn:x /etc/passwd"/>',
    # Malformed.
    "no root": "",
    "text only": "order",
    "two roots": "<order/><order/>",
    "not closed": "<order>",
    "crossed tags": "<a><b></a></b>",
    "bare ampersand": "<order>a & b</order>",
    "control character": "<order>\x01</order>",
    "NUL": "<order>\0</order>",
    "NUL by reference": "<order>&#0;</order>",
    "surrogate by reference": "<order>&#xD800;</order>",
    "text after the root": "<order/>x",
    "space before the declaration": ' <?xml version="1.0"?><order/>',
    "end of CDATA in text": "<order>]]></order>",
    "XML 1.1": '<?xml version="1.1"?><order/>',
    "XML 2.0": '<?xml version="2.0"?><order/>',
    # Encodings.
    "UTF-7, declared": _declared("UTF-7", "+ADw-order/+AD4-"),
    "unknown encoding": _declared("x-evil"),
    "EBCDIC, declared": _declared("ebcdic-cp-us"),
    "UTF-16, declared only": _declared("UTF-16"),
    "UTF-32, declared only": _declared("UTF-32"),
    "ISO-2022-JP": _declared("iso-2022-jp", "<order>\x1b$B</order>"),
    "HZ": _declared("hz-gb-2312", "<order>~{</order>"),
}

_BYTES = {
    "UTF-7": "<!DOCTYPE a><a/>".encode("utf-7").replace(b"<", b"+ADw-"),
    "UTF-16 without mark": "<order/>".encode("utf-16-le"),
    "UTF-16, declared as UTF-8": b"\xff\xfe" + _declared("utf-8").encode("utf-16-le"),
    "UTF-16 with a document type": _dtd(_XXE).encode("utf-16"),
    "UTF-16, cut": "<order/>".encode("utf-16")[:-1],
    "UTF-16, lone surrogate": b"\xff\xfe"
    + "<a>".encode("utf-16-le")
    + b"\x00\xd8"
    + "</a>".encode("utf-16-le"),
    "UTF-32": "<order/>".encode("utf-32"),
    "UTF-32BE without mark": "<order/>".encode("utf-32-be"),
    "EBCDIC": '<?xml version="1.0" encoding="cp037"?><order/>'.encode("cp037"),
    "mark of UTF-8, declared as Latin-1": b"\xef\xbb\xbf" + _declared("iso-8859-1").encode(),
    "overlong UTF-8": b"<order>\xc0\xbc!DOCTYPE</order>",
    "surrogates in UTF-8": b"<order>\xed\xa0\x80</order>",
    "malformed UTF-8": b"<order>\xff</order>",
    "malformed EUC-KR": _declared("euc-kr").encode().replace(b">x<", b">\xb0<"),
    "Latin-1 bytes, undeclared": b"<order>\xe4\xf6\xfc</order>",
    "non-ASCII, declared as ASCII": _declared("us-ascii").encode().replace(b">x<", b">\xe4<"),
}

ATTACKS = {
    **{name: (TEXT, {}, text.encode()) for name, text in _TEXTS.items() if text},
    **{name: (TEXT, {}, content) for name, content in _BYTES.items()},
    "charset against declaration": ("text/xml; charset=utf-8", {}, _declared("euc-kr").encode()),
    "charset against mark": ("text/xml; charset=utf-8", {}, "<order/>".encode("utf-16")),
    "charset UTF-7": ("text/xml; charset=utf-7", {}, b"+ADw-order/+AD4-"),
    "charset UTF-16 of ASCII": ("text/xml; charset=utf-16le", {}, b"<order/>"),
    "charset in quotes": ('text/xml; charset="utf-7"', {}, b"<order/>"),
    "charset twice": ("text/xml; charset=utf-8; charset=utf-7", {}, b"<order>+ADw-x/+AD4-</order>"),
    "Fast Infoset": ("application/fastinfoset", {}, b"\xe0\0\0\1\0\x78\xcf\5order"),
    "part of a multipart message": (
        'Multipart/Related; type="application/xop+xml"; boundary=x',
        {},
        b"--x\r\nContent-Type: application/xop+xml\r\n\r\n" + _dtd(_XXE).encode() + b"\r\n--x--\r\n",
    ),
    "other type, vertical tab before": ("text/plain", {}, b"\v\f<!DOCTYPE a><a/>"),
    "other type": ("text/plain", {}, _dtd(_XXE).encode()),
    "other type, UTF-16": ("application/octet-stream", {}, _dtd(_XXE).encode("utf-16")),
    "other type, spaces before": ("text/plain", {}, b"\r\n\t <!DOCTYPE a><a/>"),
    "no type": ("", {}, _dtd(_XXE).encode()),
    "SVG": ("image/svg+xml", {}, _dtd(_XXE, "<svg>&x;</svg>").encode()),
    "gzip bomb": (TEXT, {"Content-Encoding": "gzip"}, _gzip_bomb(200)),
    "gzip of an attack": (TEXT, {"Content-Encoding": "gzip"}, gzip.compress(_laughs().encode())),
    "deflate of an attack": (TEXT, {"Content-Encoding": "deflate"}, zlib.compress(_laughs().encode())),
    "unknown coding": (TEXT, {"Content-Encoding": "x-evil"}, b"<order/>"),
    "coding that is none": (TEXT, {"Content-Encoding": "gzip"}, b"<order/>"),
    "nested codings": (
        TEXT,
        {"Content-Encoding": "gzip, gzip"},
        gzip.compress(gzip.compress(_laughs().encode())),
    ),
}
