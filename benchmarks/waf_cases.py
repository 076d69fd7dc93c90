"""Requests with which the firewall is compared: a browser's GET, a form of 1 KB, JSON of 10 KB."""

from __future__ import annotations

import json
from dataclasses import dataclass

Fields = tuple[tuple[str, str], ...]

_BROWSER: Fields = (
    ("Host", "www.example.com"),
    (
        "User-Agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    ),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
    ("Accept-Language", "en-US,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Referer", "https://www.example.com/products?category=shoes"),
    ("Cookie", "session=9f8a7b6c5d4e3f2a1b0c; theme=dark; lang=en"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Upgrade-Insecure-Requests", "1"),
)


@dataclass(frozen=True, slots=True)
class WafCase:
    """A request; headers without Content-Length, which `fields` adds."""

    name: str
    method: str
    target: str
    headers: Fields
    body: bytes = b""

    @property
    def fields(self) -> Fields:
        """The headers as sent."""
        return (*self.headers, ("Content-Length", str(len(self.body)))) if self.body else self.headers


def waf_cases() -> list[WafCase]:
    """Return the requests."""
    return [
        WafCase("browser GET", "GET", "/products/list?category=shoes&page=2&sort=price", _BROWSER),
        WafCase(
            "form POST 1 KB", "POST", "/checkout/address", _with("application/x-www-form-urlencoded"), _form()
        ),
        WafCase("JSON POST 10 KB", "POST", "/api/orders", _with("application/json"), _document()),
    ]


def _with(content_type: str) -> Fields:
    return (*_BROWSER, ("Content-Type", content_type))


def _form() -> bytes:
    fields = {
        "first_name": "Anna",
        "last_name": "Svensson",
        "email": "anna.svensson%40example.com",
        "phone": "%2B46701234567",
        "street": "Drottninggatan+12",
        "city": "Stockholm",
        "zip": "11151",
        "country": "SE",
        "csrf_token": "c2f1a9d84b7e6350",
        "comment": "+".join(["Please+leave+the+parcel+with+the+neighbour"] * 18),
    }
    return "&".join(f"{name}={value}" for name, value in fields.items()).encode()


def _document() -> bytes:
    items = [
        {
            "sku": f"SHOE-{number:05}",
            "name": f"Running shoe model {number}",
            "quantity": number % 5 + 1,
            "price": 79.5 + number,
            "tags": ["sport", "running", "summer"],
        }
        for number in range(85)
    ]
    return json.dumps({"customer": {"id": 4711, "email": "anna@example.com"}, "items": items}).encode()
