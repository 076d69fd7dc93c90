"""Browsers and other clients: their headers and cookies."""

import base64
import json
from urllib.parse import quote, urlencode

from tests.kit.ordinary.words import AGENTS, LANGUAGES, LETTERS
from tests.kit.web_request import WebRequest

HOST = "shop.example.com"
HEX = "0123456789abcdef"
FORM = "application/x-www-form-urlencoded"
FORMS = (FORM, FORM, FORM + "; charset=UTF-8")


class Client:
    """Makes the requests of one kind of traffic; all choices come from `random`."""

    def __init__(self, random):
        self.random = random
        self.pick = random.choice

    def hex(self, length):
        return "".join(self.random.choices(HEX, k=length))

    def letters(self, length):
        return "".join(self.random.choices(LETTERS, k=length))

    def number(self, top=10**6):
        return self.random.randrange(1, top)

    def chance(self, share):
        return self.random.random() < share

    def uuid(self):
        return "-".join(self.hex(size) for size in (8, 4, 4, 4, 12))

    def base64(self, size):
        return base64.b64encode(self.random.randbytes(size)).decode()

    def jwt(self):
        head = {"alg": "RS256", "typ": "JWT", "kid": self.hex(8)}
        claims = {
            "sub": self.uuid(),
            "iat": 1718000000 + self.number(),
            "scope": "openid profile",
            "name": "Ann O'Neil",
        }
        parts = [base64.urlsafe_b64encode(json.dumps(each).encode()) for each in (head, claims)]
        parts.append(base64.urlsafe_b64encode(self.random.randbytes(64)))
        return b".".join(part.rstrip(b"=") for part in parts).decode()

    def cookies(self):
        """A few of the cookies that sites and their analytics set."""
        at = 1718000000 + self.number()
        choices = [
            f"_ga=GA1.2.{self.number(2**31)}.{at}",
            f"_gid=GA1.2.{self.number(2**31)}.{at}",
            f"_ga_{self.letters(10).upper()}=GS1.1.{at}.{self.number(9)}.1.{at}.0.0.0",
            f"_fbp=fb.1.{at}123.{self.number(2**31)}",
            f"_gcl_au=1.1.{self.number(2**31)}.{at}",
            f"session={self.hex(32)}",
            f"PHPSESSID={self.letters(26).lower()}",
            f"JSESSIONID={self.hex(32).upper()}.node1",
            f"connect.sid=s%3A{self.letters(32)}.{quote(self.base64(32), safe='')}",
            f"laravel_session={quote(self.base64(90), safe='')}",
            f"access_token={self.jwt()}",
            f"csrftoken={self.letters(64)}",
            f"XSRF-TOKEN={quote(self.base64(60), safe='')}",
            f"CookieConsent={{stamp:'{self.base64(33)}',necessary:true,preferences:true,statistics:false,method:'explicit',ver:1,utc:{at}}}",
            "OptanonConsent=isGpcEnabled=0&datestamp=Mon+Jun+10+2024+12%3A00%3A00+GMT%2B0200+(CEST)&version=202403.1.0&groups=C0001%3A1%2CC0002%3A0&AwaitingReconsent=false",
            f"mp_{self.hex(32)}_mixpanel="
            + quote(
                json.dumps(
                    {"distinct_id": self.uuid(), "$device_id": self.uuid(), "$initial_referrer": "$direct"}
                )
            ),
            "ajs_anonymous_id=%22" + self.uuid() + "%22",
            f"hubspotutk={self.hex(32)}",
            f"_hjSession_{self.number()}={self.base64(80)}",
            f"wordpress_logged_in_{self.hex(32)}=admin%7C{at}%7C{self.letters(43)}%7C{self.hex(64)}",
            "cart="
            + quote(
                json.dumps({"items": [{"sku": "A-1", "n": 2, "name": "Men's shirt (M)"}], "total": 19.9})
            ),
            "recent=" + quote("/a/b?x=1&y=2|/c;d"),
            "timezone=Europe/Berlin",
            "lang=ko_KR; theme=dark; sidebar=collapsed",
            f"AWSALB={self.base64(90)}",
            "utm=source=newsletter|medium=email|campaign=spring'24",
            "i18next=de-DE; consent=%7B%22ads%22%3Afalse%7D",
        ]
        return "; ".join(self.random.sample(choices, self.random.randrange(1, 7)))

    def browser(
        self,
        *,
        accept="text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    ):
        """The headers of a browser's request."""
        headers = [("Host", HOST), ("User-Agent", self.pick(AGENTS)), ("Accept", accept)]
        headers += [("Accept-Language", self.pick(LANGUAGES)), ("Accept-Encoding", "gzip, deflate, br, zstd")]
        if self.chance(0.6):
            headers += [
                ("sec-ch-ua", '"Chromium";v="126", "Not/A)Brand";v="8", "Google Chrome";v="126"'),
                ("sec-ch-ua-mobile", "?0"),
                ("sec-ch-ua-platform", '"Windows"'),
                ("Sec-Fetch-Site", "same-origin"),
                ("Sec-Fetch-Mode", "navigate"),
            ]
        if self.chance(0.7):
            headers.append(("Cookie", self.cookies()))
        if self.chance(0.5):
            headers.append(("Referer", self.referrer()))
        if self.chance(0.2):
            headers += [
                ("DNT", "1"),
                ("Upgrade-Insecure-Requests", "1"),
                ("If-None-Match", f'W/"{self.hex(16)}"'),
            ]
        return headers

    def referrer(self):
        return self.pick(
            [
                f"https://{HOST}/",
                f"https://{HOST}/search?q=o%27brien+%26+sons&sort=-price",
                "https://www.google.com/",
                "https://www.google.com/url?sa=t&url=https%3A%2F%2Fshop.example.com%2F&usg=AOvVaw"
                + self.letters(16),
                "https://search.naver.com/search.naver?query=%EC%84%9C%EC%9A%B8+%EB%A7%9B%EC%A7%91",
                "android-app://com.google.android.gm/",
                f"https://{HOST}/wiki/C%2B%2B_(programming_language)",
            ]
        )

    def get(self, target, kind, headers=None):
        return WebRequest("GET", target, tuple(headers or self.browser()), b"", kind)

    def send(self, target, body, content_type, kind, *, method="POST", headers=None):
        """A request with `body`."""
        fields = list(headers or self.browser(accept="*/*"))
        fields += [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        if headers is None:
            fields.append(("Origin", f"https://{HOST}"))
        return WebRequest(method, target, tuple(fields), body, kind)

    def form(self, target, fields, kind):
        return self.send(target, urlencode(fields).encode(), self.pick(FORMS), kind)

    def json(self, target, value, kind, *, method="POST", headers=None, content_type="application/json"):
        text = json.dumps(value, ensure_ascii=self.chance(0.3))
        return self.send(target, text.encode(), content_type, kind, method=method, headers=headers)
