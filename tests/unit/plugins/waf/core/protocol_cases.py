"""What the rules of 10-protocol.conf and 20-scanners.conf find, and what they let pass."""

from dataclasses import replace

from tests.unit.plugins.waf.core.cases import (
    ORDINARY,
    arg,
    args,
    cookie,
    field,
    header,
    method,
    name,
    path,
    post,
    upload,
    without,
)

MULTIPART = "multipart/form-data; boundary=b"


def part(line):
    """A multipart body of one field that has `line` as a header."""
    return b'--b\r\nContent-Disposition: form-data; name="a"\r\n' + line + b"\r\n\r\nx\r\n--b--\r\n"


PROTOCOL = {
    440110: ([without("Host")], [path("/"), replace(without("Host"), protocol="1.0")]),
    440111: (
        [method("TRACE"), method("TRACK"), method("CONNECT"), method("DEBUG")],
        [method("GET"), method("DELETE"), method("PROPFIND"), method("PATCH")],
    ),
    440112: ([method("PURGE"), method("TRACE")], [method("GET"), method("PROPFIND")]),
    440113: (
        [header("host", "evil.example"), post("a=1", "text/plain", ("Content-Type", "text/html"))],
        [path("/"), post("a=1")],
    ),
    440114: (
        [header("Transfer-Encoding", "xchunked"), header("Transfer-Encoding", "chunked, identity")],
        [header("Transfer-Encoding", "chunked"), header("Transfer-Encoding", " Chunked")],
    ),
    440115: (
        [header("Content-Length", "+5"), header("Content-Length", "0x10")],
        [header("Content-Length", "0"), post("a=1")],
    ),
    440116: (
        [
            header("X-Original-URL", "/admin"),
            header("Proxy", "http://evil.example"),
            header("X-Middleware-Subrequest", "a"),
            header("X_Original_URL", "/admin"),
        ],
        [header("X-Forwarded-Host", "shop.example"), header("Proxy-Connection", "keep-alive")],
    ),
    440117: (
        [
            arg("a\r\nSet-Cookie: admin=1"),
            path("/a%0d%0aLocation:%20//evil.example"),
            arg("x\nHTTP/1.1 200\n"),
        ],
        [arg("a line\nand another"), arg("Location: Berlin"), field("Content-Type: text/html\nhow?")],
    ),
    440118: (
        [arg("a\r\nGET /admin HTTP/1.1"), path("/a%0aPOST%20/x%20HTTP/1.0")],
        [arg("GET /admin HTTP/1.1 gives 404"), arg("list\nget a book")],
    ),
    440119: (
        [arg("a\x00.png"), path("/a%00.html"), field("a\x00")],
        [arg("a0"), arg("100%"), field("tab\tand\nline")],
    ),
    440120: (
        [
            post("+ADw-", "text/html; charset=utf-7"),
            post("a=1", "application/x-www-form-urlencoded; charset=ibm037"),
            post("a=1", "text/plain; charset=utf-8; charset=utf-7"),
            post("a=1", 'text/xml; charset="UTF-16"'),
            post("a=1", "text/plain; charset=csIBM037"),
            post("a=1", "text/plain; charset=ebcdic-cp-us"),
            post("a=1", "text/plain; charset*=us-ascii''ibm037"),
            post("a=1", 'text/plain; charset="\\u\\t\\f-7"'),
            post(part(b"Content-Type: text/plain; charset=utf-7"), MULTIPART),
        ],
        [
            post("a=1", "text/html; charset=utf-8"),
            post("a=1", "text/plain; charset=euc-kr"),
            post("a=1", "text/plain;charset='ISO-8859-1' ;x=y"),
            post(part(b"Content-Type: text/plain; charset=UTF-8"), MULTIPART),
            upload("charset.txt"),
        ],
    ),
    440127: (
        [post("_charset_=utf-7&a=1"), post("_charset_=IBM037"), args("_charset_=utf-16le")],
        [post("_charset_=&a=1"), post("_charset_=UTF-8"), post("_charset_=windows-1252")],
    ),
    440121: (
        [post('{"a": ', "application/json"), post("<a><b></a>", "application/xml")],
        [post('{"a": 1}', "application/json"), post("<a/>", "application/xml"), post("a=%zz")],
    ),
    440122: (
        [
            upload("a.png", head=b"before\r\n"),
            post(
                b'--x\r\nContent-Disposition: form-data;\r\n name="a"\r\n\r\nb\r\n--x--\r\n',
                "multipart/form-data; boundary=x",
            ),
        ],
        [upload("a.png"), upload("보고서 최종.pdf"), upload("O'Brien.pdf")],
    ),
    440123: (
        [arg("+ADw-script+AD4-alert(1)+ADw-/script+AD4-"), header("Referer", "+ADw-a+ACI-")],
        [arg("1+ADw"), arg("C++ADw-")],
    ),
    440124: ([path("/%c0%ae%c0%ae/x"), path("/%e0%80%af")], [path("/%ec%84%9c%ec%9a%b8"), path("/%c3%a9")]),
    440125: ([path("/%u002e%u002e/"), path("/?q=%uff1cscript")], [path("/%75"), path("/?q=100%25us")]),
    440126: (
        [
            post(
                b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--y\r\n',
                "multipart/form-data; boundary=x",
            )
        ],
        [upload("a.png"), upload("a.png", b"text\r\n--x-\r\n"), post("a=1")],
    ),
    440130: (
        [upload("a.png", head=b"before\r\n")],
        [upload("a.png"), upload("사진.jpg")],
    ),
    440131: (
        [header("Range", "bytes=0-1,1-2,2-3,3-4,4-5,5-6,6-7")],
        [header("Range", "bytes=0-1023"), header("Range", "bytes=0-1,4-5")],
    ),
    440132: ([path("/?q=50%zz"), path("/%")], [path("/?q=50%25"), path("/a%20b")]),
    440133: ([without("User-Agent")], [path("/")]),
    440134: ([name("a\nb")], [name("a b"), arg("a\nb")]),
    440135: (
        [field("x\r\nPOST /admin HTTP/1.1\r\nHost: a")],
        [field("x\r\nPost a letter"), field("GET / HTTP/1.1")],
    ),
    440140: (
        [header("Host", "192.0.2.1"), header("Host", "[::1]:8080")],
        [path("/"), header("Host", "a1.example")],
    ),
    440141: ([path("/a%252fb")], [path("/a%2fb"), path("/100%25")]),
    440142: ([args("q=%ff%fe"), path("/%e9")], [arg("é"), arg("서울 🚀")]),
    440143: ([without("Accept")], [path("/")]),
    440144: ([field("a\r\nSet-Cookie: b=1")], [field("a\r\nRegards"), field("Location: here")]),
    440145: (
        [replace(post("a=1"), method="GET")],
        [path("/"), replace(path("/"), headers=(*ORDINARY, ("Content-Length", "0")))],
    ),
    440150: ([name("naïve"), path("/caf%c3%a9")], [name("a_b"), path("/cafe"), arg("é")]),
}

SCANNERS = {
    440210: (
        [
            header("User-Agent", "sqlmap/1.7.2#stable (https://sqlmap.org)"),
            header("User-Agent", "Mozilla/5.00 (Nikto/2.1.6)"),
            header("User-Agent", "Mozilla/5.0 (compatible; Nmap Scripting Engine)"),
        ],
        [path("/"), header("User-Agent", "curl/8.5.0"), header("User-Agent", "Googlebot/2.1")],
    ),
    440211: (
        [header("Acunetix-Product", "WVS"), header("X-Scanner", "1")],
        [header("X-Request-Id", "a"), header("X-Scanner-Model", "fi-7160")],
    ),
    440212: (
        [arg("http://abcd1234.oastify.com/"), header("User-Agent", "x.qwer1234.interact.sh")],
        [arg("https://www.example.com/"), arg("interact.sharing")],
    ),
    440213: (
        [path("/nikto-test-abc.html"), path("/w00tw00t.at.ISC.SANS.DFind")],
        [path("/nikto"), path("/test")],
    ),
    440220: (
        [path("/phpmyadmin/index.php"), path("/actuator/env"), path("/solr/admin/cores")],
        [path("/actuator/health"), path("/admin")],
    ),
    440230: (
        [header("User-Agent", "python-requests/2.31"), header("User-Agent", "curl/8.5.0")],
        [path("/"), cookie("lang=python-requests"), arg("curl")],
    ),
}
