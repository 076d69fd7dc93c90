"""Requests with which firewalls are compared: a browser's GET, a form of 1 KB, JSON of 10 KB."""

from __future__ import annotations

import json
from collections.abc import Callable
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
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Upgrade-Insecure-Requests", "1"),
)


@dataclass(frozen=True, slots=True)
class WafCase:
    """A request; headers without Content-Length, which `fields` adds."""

    method: str
    target: str
    headers: Fields
    body: bytes = b""

    @property
    def fields(self) -> Fields:
        """The headers as sent."""
        return (*self.headers, ("Content-Length", str(len(self.body)))) if self.body else self.headers


def _get(number: int) -> WafCase:
    target = f"/products/list?category=shoes&page={number}&sort=price"
    return WafCase("GET", target, _headers(number))


def _form(number: int) -> WafCase:
    fields = {
        "first_name": "Anna",
        "last_name": "Svensson",
        "email": f"anna.svensson{number}%40example.com",
        "phone": f"%2B46701234{number:03}",
        "street": f"Drottninggatan+{number}",
        "city": "Stockholm",
        "zip": "11151",
        "country": "SE",
        "csrf_token": f"c2f1a9d84b7e6{number:03}",
        "comment": "+".join(["Please+leave+the+parcel+with+the+neighbour"] * 18),
    }
    body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
    return WafCase("POST", "/checkout/address", _headers(number, "application/x-www-form-urlencoded"), body)


def _json(number: int) -> WafCase:
    items = [
        {
            "sku": f"SHOE-{number + place:05}",
            "name": f"Running shoe model {number + place}",
            "quantity": place % 5 + 1,
            "price": 79.5 + number + place,
            "tags": ["sport", "running", "summer"],
        }
        for place in range(85)
    ]
    document = {"customer": {"id": 4711, "email": "anna@example.com"}, "items": items}
    return WafCase("POST", "/api/orders", _headers(number, "application/json"), json.dumps(document).encode())


def _headers(number: int, content_type: str = "") -> Fields:
    own = (
        ("Referer", f"https://www.example.com/products?category=shoes&page={number}"),
        ("Cookie", f"session=9f8a7b6c5d4e3f2a1{number:03}; theme=dark; lang=en"),
    )
    return (*_BROWSER, *own, *((("Content-Type", content_type),) if content_type else ()))


CASES: dict[str, Callable[[int], WafCase]] = {"get": _get, "form": _form, "json": _json}
"""Each makes request `number` (up to 999) of its kind: arguments, cookie and referrer differ by request."""

ATTACK = WafCase(
    "GET", "/products/list?category=1%27+or+1%3D1+union+select+password+from+users--", _headers(0)
)
"""SQL injection, which every engine must report before its figures count."""
