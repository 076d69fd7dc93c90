"""Pages, assets, searches, filters, campaigns, redirects."""

import json
from urllib.parse import quote, quote_plus, urlencode

from tests.kit.ordinary.words import NAMES, ORGANISATIONS, SEARCHES

PATHS = [
    "/",
    "/index.html",
    "/products/o-brien-s-whiskey-0-7l",
    "/products/men's-shirt",
    "/wiki/C%2B%2B",
    "/wiki/%EC%84%9C%EC%9A%B8%ED%8A%B9%EB%B3%84%EC%8B%9C",
    "/wiki/Fish_%26_chips_(dish)",
    "/a,b;c=d/e",
    "/user/~ann/@me/",
    "/2024/06/10/select-from-the-best/",
    "/blog/union-and-order-by-the-numbers",
    "/docs/v1.2.3/../".replace("../", "api/"),
    "/en-gb/help/article/100%25-cotton",
    "/store/app;jsessionid=1A2B3C4D5E6F.node1",
    "/api/v2/users/me",
    "/.well-known/openid-configuration",
    "/.well-known/acme-challenge/x-y_z",
    "/sitemap.xml",
    "/robots.txt",
    "/favicon.ico",
    "/tags/c%23/.net",
    "/drop/table/3",
    "/calendar/2024-W23",
    "/map/@37.5665,126.978,15z",
    "/files/Annual%20Report%20(final)%20-%20O'Neil.pdf",
    "/node/5/edit",
    "/wp-content/uploads/2024/06/a-1024x768.jpg",
    "/wp-json/wp/v2/posts/5",
    "/wp-login.php",
    "/admin/",
    "/console/",
    "/cgi/search.cgi",
    "/install/guide",
    "/config/profile",
    "/search/rock%20'n'%20roll",
]
ASSETS = [
    "app",
    "vendor~main",
    "chunk-2d0a",
    "jquery-3.7.1.min",
    "logo@2x",
    "fonts/inter-var",
    "polyfills",
    "theme.dark",
    "sprite",
]
ENDINGS = ["js", "css", "png", "svg", "woff2", "webp", "map", "json", "mjs", "ico", "mp4", "wasm"]


def page(client):
    tail = client.pick(["", "", "?page=" + str(client.number(99)), "?lang=ko", ["?ref=nav&tab=2", "top"][0]])
    return client.get(client.pick(PATHS) + tail, "page")


def asset(client):
    name = f"/static/{client.pick(ASSETS)}.{client.hex(8)}.{client.pick(ENDINGS)}"
    return client.get(
        name + client.pick(["", f"?v={client.hex(10)}", "?1.2.3-beta"]), "asset", client.browser(accept="*/*")
    )


def search(client):
    quoted = client.pick([quote, quote_plus])
    words = client.pick(SEARCHES)
    if client.chance(0.3):
        words += " " + client.pick(SEARCHES)
    target = f"/search?q={quoted(words)}" + client.pick(
        ["", "&page=2", "&sort=-date", "&type=all&in=title,body", "&ie=UTF-8&hl=ko"]
    )
    return client.get(target, "search")


def suggestion(client):
    words = client.pick(SEARCHES)
    return client.get(
        "/suggest?term=" + quote(words[: client.random.randrange(1, len(words) + 1)]), "suggestion"
    )


def campaign(client):
    values = {
        "utm_source": client.pick(["newsletter", "google", "naver", "face book", "t.co"]),
        "utm_medium": client.pick(["cpc", "e-mail", "social"]),
        "utm_campaign": client.pick(
            [
                "Summer Sale '24",
                "black-friday_50%off",
                "여름 세일",
                "{campaign}",
                "A/B test; v2",
                "select+save",
            ]
        ),
        "utm_content": client.pick(["Banner #1 (top)", "link|footer", "a&b"]),
    }
    click = {
        "gclid": "Cj0KCQjw" + client.letters(40) + "_wcB",
        "fbclid": "IwAR0" + client.letters(50),
        "msclkid": client.hex(32),
    }
    name = client.pick(list(click))
    return client.get("/landing?" + urlencode({**values, name: click[name]}), "campaign")


def filters(client):
    return client.get(
        client.pick(
            [
                "/items?filter[price][gte]=10&filter[price][lte]=99.5&sort=-price,name&fields[items]=name,price",
                "/items?ids[]=1&ids[]=2&ids[]=3&size=M%2FL&color=%23ff0000",
                "/items?brand=" + quote_plus(client.pick(ORGANISATIONS)) + "&price=10..20&in_stock=true",
                "/items?f="
                + quote(json.dumps({"where": {"name": "O'Brien", "age": {"min": 18}}, "limit": 10})),
                "/odata/Products?$filter="
                + quote("Price gt 20 and Name eq 'Milk'")
                + "&$select=Name,Price&$orderby=Price",
                "/odata/Orders?%24top=10&%24skip=20&%24expand=" + quote("Items($select=Name)"),
                "/issues?jql="
                + quote('project = WEB AND status in (Open, "In Progress") ORDER BY created DESC'),
                "/logs?query=" + quote('level:error AND service:"web-1" NOT path:/healthz'),
                "/grafana/api?expr="
                + quote('sum(rate(http_requests_total{job="web",code!~"5.."}[5m])) by (code)'),
                "/map?bbox=126.9,37.5,127.1,37.6&zoom=12&center=37.5665%2C126.9780",
                "/events?from=2024-06-01T00:00:00%2B09:00&to=2024-06-30T23:59:59Z&tz=Asia%2FSeoul",
                "/schedule?cron=" + quote("*/15 0-6 * * 1,3"),
                "/calc?expr="
                + quote(client.pick(["(1+2)*3/4", "sqrt(2)^2", "5!-3!", "10 % 3 == 1", "2**10"])),
                "/report?cols=name,sum(price),count(id)&group=name&having=total",
                "/tree?path=%2Fhome%2Fann%2FDocuments&depth=2",
                "/download?file=Report%20Q2.pdf&name=O%27Neil",
                "/include?page=about&lang=en&view=full",
                "/list?" + urlencode({"name": client.pick(NAMES), "and": "1", "or": "2"}),
                "/photos?order=date desc&limit=20&offset=40".replace(" ", "+"),
            ]
        ),
        "filter",
    )


def redirect(client):
    inner = client.pick(
        [
            "https://shop.example.com/cart?item=5&n=2",
            "https://www.example.org/a/b.html?x=1#part",
            "/account/orders?tab=open",
            "https://example.com/?q=a%20b&lang=de",
            "https%3A%2F%2Fexample.com%2F%3Fa%3Db",
            "http://intranet/wiki/Start",
            "myapp://open/item/5",
        ]
    )
    name = client.pick(["next", "url", "return_to", "redirect", "continue", "u", "link"])
    return client.get(f"/go?{name}=" + quote(inner, safe=""), "redirect")


def analytics(client):
    values = {
        "v": "2",
        "tid": "G-" + client.letters(10).upper(),
        "dl": client.pick(["https://shop.example.com/a?b=c", "http://localhost:3000/"]),
        "dr": "https://www.google.com/",
        "dt": client.pick(
            ["O'Brien's Shop | Men & Women", "서울 맛집 – 상위 10곳", "Select your plan; save 50%"]
        ),
        "sr": "1920x1080",
        "en": "page_view",
        "ep.value": '{"a":"b"}',
        "_et": str(client.number()),
    }
    return client.get("/g/collect?" + urlencode(values), "analytics")


def oauth(client):
    scope = "openid email profile https://www.googleapis.com/auth/userinfo.email"
    if client.chance(0.5):
        return client.get(
            "/callback?"
            + urlencode(
                {
                    "state": client.base64(24),
                    "code": "4/0A" + client.letters(60),
                    "scope": scope,
                    "prompt": "none",
                }
            ),
            "oauth",
        )
    values = {
        "response_type": "code id_token",
        "client_id": client.uuid(),
        "redirect_uri": client.pick(
            [
                "https://app.example.com/cb",
                "http://localhost:3000/cb",
                "http://127.0.0.1:53412/",
                "com.example.app:/cb",
            ]
        ),
        "scope": scope,
        "code_challenge": client.letters(43),
        "nonce": client.uuid(),
        "claims": '{"userinfo":{"email":{"essential":true}}}',
    }
    return client.get("/authorize?" + urlencode(values), "oauth")
