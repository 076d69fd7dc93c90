"""Files, XML services, WebDAV and calendars, single sign-on."""

from urllib.parse import urlencode

from tests.kit.ordinary.client import HOST
from tests.kit.ordinary.words import NAMES, PROSE, SEARCHES

FILES = [
    ("photo.jpg", "image/jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF"),
    ("스크린샷 2024-06-10 오후 3.21.05.png", "image/png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
    ("보고서(최종)_v2.hwp", "application/haansofthwp", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    ("Résumé O’Brien.pdf", "application/pdf", b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\n"),
    ("O'Brien & Sons - invoice #5.pdf", "application/pdf", b"%PDF-1.4\n"),
    ("data (1).csv", "text/csv", "name;price\nO'Brien;1,5\n김;2\n".encode()),
    (
        "report.final.xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        b"PK\x03\x04\x14\x00\x06\x00",
    ),
    ("notes.txt", "text/plain", b"select a date -- or drop by\n"),
    ("clip.mp4", "video/mp4", b"\x00\x00\x00\x20ftypisom"),
    ("archive.tar.gz", "application/gzip", b"\x1f\x8b\x08\x00"),
    ("logo.svg", "image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h1v1z"/></svg>'),
]


def upload(client):
    """A form with files as browsers send it."""
    boundary = client.pick(
        [
            "----WebKitFormBoundary" + client.letters(16),
            "---------------------------" + str(client.number(10**29)),
        ]
    )
    parts = [
        ("title", client.pick(NAMES)),
        ("description", client.pick(PROSE)),
        ("folder", "/Documents/2024"),
    ]
    body = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parts
    ).encode()
    for number in range(client.random.randrange(1, 3)):
        name, kind, start = client.pick(FILES)
        content = start + client.random.randbytes(client.random.randrange(200, 4000))
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="file{number}"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode()
        body += content + b"\r\n"
    return client.send(
        "/upload",
        body + f"--{boundary}--\r\n".encode(),
        f"multipart/form-data; boundary={boundary}",
        "upload",
    )


def form_data(client):
    """A script's FormData without a file."""
    boundary = "----WebKitFormBoundary" + client.letters(16)
    values = {
        "action": "save",
        "nonce": client.hex(10),
        "q": client.pick(SEARCHES),
        "text": client.pick(PROSE).replace("\n", "\r\n"),
    }
    body = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in values.items()
    )
    return client.send(
        "/wp-admin/admin-ajax.php",
        f"{body}--{boundary}--\r\n".encode(),
        f"multipart/form-data; boundary={boundary}",
        "upload",
    )


def raw_file(client):
    _, kind, start = client.pick(FILES)
    headers = client.browser(accept="*/*")
    return client.send(
        f"/bucket/{client.uuid()}",
        start + client.random.randbytes(1000),
        kind,
        "upload",
        method="PUT",
        headers=headers,
    )


def soap(client):
    name = client.pick(["Ann", "김민수", "O'Brien", "Müller"])
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://example.com/m">'
        f'<soap:Header><m:Id>{client.uuid()}</m:Id></soap:Header><soap:Body><m:GetPrice kind="a &amp; b"><m:Item>{name}</m:Item>'
        "<m:Since>2024-06-10T00:00:00Z</m:Since><m:Note><![CDATA[x < y & it's fine]]></m:Note></m:GetPrice></soap:Body></soap:Envelope>"
    )
    headers = [
        ("Host", HOST),
        ("User-Agent", "Apache-HttpClient/4.5.14 (Java/17.0.9)"),
        ("Accept", "text/xml"),
        ("SOAPAction", '"urn:GetPrice"'),
    ]
    return client.send(
        "/services/price",
        text.encode(),
        client.pick(["text/xml; charset=utf-8", "application/soap+xml; charset=utf-8"]),
        "soap",
        headers=headers,
    )


def xml_rpc(client):
    text = '<?xml version="1.0"?><methodCall><methodName>wp.getPosts</methodName><params><param><value><string>ann</string></value></param></params></methodCall>'
    return client.send("/xmlrpc.php", text.encode(), "text/xml", "soap")


def dav(client):
    headers = [
        ("Host", HOST),
        (
            "User-Agent",
            client.pick(
                [
                    "Microsoft-WebDAV-MiniRedir/10.0.19045",
                    "DAVx5/4.4 (Android 14)",
                    "iOS/17.5 (21F79) dataaccessd/1.0",
                    "gvfs/1.54",
                ]
            ),
        ),
        ("Accept", "*/*"),
        ("Depth", client.pick(["0", "1"])),
    ]
    verb = client.pick(["PROPFIND", "REPORT", "PUT", "MKCOL", "MOVE", "OPTIONS", "LOCK"])
    target = client.pick(
        [
            "/dav/files/ann/Documents/",
            "/dav/calendars/ann/personal/",
            "/dav/files/ann/%EB%B3%B4%EA%B3%A0%EC%84%9C.odt",
        ]
    )
    if verb == "PUT":
        text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:{client.uuid()}\r\nSUMMARY:Ann & Bob; it's lunch\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        return client.send(
            target + "e.ics",
            text.encode(),
            "text/calendar; charset=utf-8",
            "webdav",
            method=verb,
            headers=headers,
        )
    if verb in ("MKCOL", "MOVE", "OPTIONS"):
        moved = (
            [("Destination", f"https://{HOST}/dav/files/ann/O'Neil/"), ("Overwrite", "F")]
            if verb == "MOVE"
            else []
        )
        request = client.get(target, "webdav", headers + moved)
        return type(request)(verb, request.target, request.headers, b"", "webdav")
    text = '<?xml version="1.0" encoding="utf-8"?><d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:prop><d:getetag/><oc:size/></d:prop></d:propfind>'
    return client.send(
        target, text.encode(), "application/xml; charset=utf-8", "webdav", method=verb, headers=headers
    )


def single_sign_on(client):
    values = client.pick(
        [
            {"SAMLResponse": client.base64(900), "RelayState": "https://shop.example.com/app?x=1"},
            {"id_token": client.jwt(), "state": client.base64(24), "session_state": client.uuid()},
        ]
    )
    return client.send("/saml/acs", urlencode(values).encode(), "application/x-www-form-urlencoded", "oauth")


def token(client):
    values = {
        "grant_type": "authorization_code",
        "code": client.letters(60),
        "redirect_uri": "http://localhost:3000/cb",
        "client_secret": "s~" + client.letters(20) + "'_-",
    }
    return client.send(
        "/oauth/token", urlencode(values).encode(), "application/x-www-form-urlencoded", "oauth"
    )
