"""Short ways to write a request for the cases of the bundled rules: `cases[id] = (finds, passes)`."""

from urllib.parse import quote

from tests.kit.web_request import WebRequest, WebResponse

HOST = ("Host", "shop.example")
BROWSER = ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
ACCEPT = ("Accept", "text/html,application/xhtml+xml")
ORDINARY = (HOST, BROWSER, ACCEPT)
FORM = "application/x-www-form-urlencoded"


def arg(value):
    """Return `value` as a parameter of the query."""
    return WebRequest(target="/search?q=" + quote(value, safe=""), headers=ORDINARY)


def name(value):
    """Return `value` as the name of a parameter."""
    return WebRequest(target="/search?" + quote(value, safe="") + "=1", headers=ORDINARY)


def args(query):
    """A query as it stands on the wire."""
    return WebRequest(target="/search?" + query, headers=ORDINARY)


def path(target):
    """A target as it stands on the wire."""
    return WebRequest(target=target, headers=ORDINARY)


def header(field, value):
    """A GET with one header more, or with another value of an ordinary one."""
    others = tuple(each for each in ORDINARY if each[0] != field)
    return WebRequest(headers=(*others, (field, value)))


def without(field):
    """A GET without a header that all others have."""
    return WebRequest(headers=tuple(each for each in ORDINARY if each[0] != field))


def cookie(text):
    return header("Cookie", text)


def method(verb):
    return WebRequest(method=verb, headers=ORDINARY)


def post(body, kind=FORM, *more):
    """A POST of `body` as `kind`."""
    content = body if isinstance(body, bytes) else body.encode()
    fields = (*ORDINARY, ("Content-Type", kind), ("Content-Length", str(len(content))), *more)
    return WebRequest("POST", "/send", fields, content)


def field(value):
    """Return `value` as a field of a form."""
    return post("text=" + quote(value, safe=""))


def json(text):
    return post(text, "application/json")


def xml(text):
    return post(text, "application/xml")


def upload(filename, content=b"\x89PNG\r\n", *, head=b"", tail=b"", boundary=b"ordinary7boundary"):
    """A multipart POST of one file."""
    body = b'%s--%s\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n' % (
        head,
        boundary,
        filename.encode(),
    )
    body += b"Content-Type: application/octet-stream\r\n\r\n%s\r\n--%s--\r\n%s" % (content, boundary, tail)
    return post(body, "multipart/form-data; boundary=" + boundary.decode())


def answer(text, status=200):
    """A response of the origin."""
    return WebResponse(status, body=text.encode())
