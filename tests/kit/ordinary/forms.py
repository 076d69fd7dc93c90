"""Forms, logins, editors, forums."""

from tests.kit.ordinary.rich_text import MARKDOWN, RICH_TEXT
from tests.kit.ordinary.snippets import SNIPPETS
from tests.kit.ordinary.words import LETTERS, NAMES, ORGANISATIONS, PROSE, PUNCTUATION, STREETS


def address(client):
    return client.form(
        "/checkout/address",
        {
            "name": client.pick(NAMES),
            "company": client.pick(["", *ORGANISATIONS]),
            "street": client.pick(STREETS),
            "zip": client.pick(["06236", "D-10117", "SW1A 1AA", "〒100-0005"]),
            "phone": client.pick(["+82-2-555-0100", "(555) 010-9999 x12", "0171/5550100"]),
            "email": client.pick(
                ["a.b+c@example.com", "o'brien@example.ie", '"john smith"@example.com', "김@예시.한국"]
            ),
            "note": client.pick(["", "Ring twice; dog bites!", "leave at #3 & call", *PROSE]),
            "agree": "on",
        },
        "form",
    )


def contact(client):
    return client.form(
        client.pick(["/contact", "/comments", "/feedback"]),
        {
            "_token": client.letters(40),
            "author": client.pick(NAMES),
            "subject": client.pick(
                ["Re: Fwd: It's urgent!", "Question (order #5)", "환불 문의", "A & B; C?"]
            ),
            "message": "\r\n\r\n".join(client.random.sample(PROSE, client.random.randrange(1, 4))),
            "rating": str(client.number(6)),
        },
        "form",
    )


def password(client):
    """Return what password managers and people make up."""
    if client.chance(0.2):
        return client.pick(
            [
                "P@ssw0rd!",
                "correct horse battery staple",
                "'\"><;--#",
                "비밀번호123!",
                "1=1",
                "O'Reilly&1",
                "x' y\" z`",
                "a;b|c&d",
            ]
        )
    return "".join(client.random.choices(LETTERS + PUNCTUATION, k=client.random.randrange(8, 25)))


def login(client):
    user = client.pick(
        ["ann", "o'brien", "admin@example.com", "김민수", "root", "DOMAIN\\ann", "john; smith"]
    )
    values = {"username": user, "password": password(client), "remember": "true"}
    if client.chance(0.4):
        return client.json("/api/login", values, "login")
    return client.form("/login", {"csrf": client.base64(30), **values, "next": "/account?tab=1"}, "login")


def signup(client):
    secret = password(client)
    return client.form(
        "/signup",
        {"name": client.pick(NAMES), "password": secret, "password2": secret, "born": "1990-02-28"},
        "login",
    )


def editor(client):
    html = "\n".join(client.random.sample(RICH_TEXT, client.random.randrange(1, 5)))
    title = client.pick(["It's new!", "공지: 점검 안내 (6/10)", "Top 5 <b>deals</b>", "A & B or C"])
    if client.chance(0.3):
        return client.json(
            "/api/posts", {"title": title, "content": html, "tags": ["a", "c++"], "draft": False}, "rich text"
        )
    return client.form(
        "/admin/post", {"title": title, "content": html, "status": "publish", "slug": "its-new"}, "rich text"
    )


def markdown(client):
    text = "\n\n".join(client.random.sample([*MARKDOWN, *PROSE], 3))
    return client.json("/api/issues/5/comments", {"body": text}, "markdown")


def forum(client):
    text = (
        client.pick(PROSE)
        + "\n\n"
        + client.pick(SNIPPETS)
        + "\n\n"
        + client.pick(["Thanks!", "Any ideas?", "고맙습니다."])
    )
    if client.chance(0.3):
        text = client.pick(SNIPPETS)
    if client.chance(0.5):
        return client.json(
            "/api/forum/posts", {"topic": client.number(), "text": text, "format": "markdown"}, "code snippet"
        )
    return client.form(
        "/forum/reply", {"topic": str(client.number()), "text": text, "preview": "1"}, "code snippet"
    )


def settings(client):
    return client.form(
        "/settings",
        [
            ("user[name]", client.pick(NAMES)),
            ("user[bio]", client.pick(PROSE)),
            ("user[website]", "https://example.com/~ann/?a=b"),
            ("user[roles][]", "editor"),
            ("user[roles][]", "author"),
            ("theme[colors][primary]", "#ff00aa"),
            ("date_format", "d/m/Y H:i"),
            ("signature", "-- \nAnn O'Neil\nR&D; Building 5"),
            ("_method", "patch"),
        ],
        "form",
    )


def dotnet(client):
    """A page of ASP.NET posts its state back."""
    return client.form(
        "/Orders.aspx",
        {
            "__EVENTTARGET": "ctl00$Main$Grid$ctl02$Edit",
            "__EVENTARGUMENT": "Page$2",
            "__VIEWSTATE": "/wEPDwUK" + client.base64(300),
            "__EVENTVALIDATION": client.base64(90),
            "ctl00$Main$Name": client.pick(NAMES),
            "ctl00$Main$Text": client.pick(PROSE),
        },
        "form",
    )
