from __future__ import annotations

import pytest

from adc.routing.client_view import ClientView, MemberOrigins, Paths

ADDRESSES = ["10.0.0.5:9001", "app.internal:80", "unix:/run/app"]


def view(
    stripped: str = "/api",
    added: str = "",
    announced: str = "",
    *,
    host: str | None = None,
    secure: bool = False,
    scheme: str = "https",
    authority: str = "www.example.com",
    path: str = "/api/a/b",
    member_path: str = "/a/b",
) -> ClientView:
    paths = Paths(stripped.encode(), added.encode(), (announced or stripped).encode())
    members = MemberOrigins(ADDRESSES, host, secure)
    asked = b"inner.example"
    return ClientView(
        members, paths, scheme.encode(), authority.encode(), asked, path.encode(), member_path.encode()
    )


@pytest.mark.parametrize(
    ("reference", "seen"),
    [
        (b"/x?y#z", b"/api/x?y#z"),
        (b"/", b"/api/"),
        (b"/apix", b"/api/apix"),
        (b"/api/x", b"/api/x"),
        (b"/api", b"/api"),
        (b"/api?x", b"/api?x"),
        (b"/x/../y", b"/api/y"),
        (b"/../x", b"/api/x"),
        (b"x", b"x"),
        (b"../x", b"../x"),
        (b"../../x", b"/api/x"),
        (b"?x", b"?x"),
        (b"#x", b"#x"),
        (b"", b""),
        (b"mailto:x@y", b"mailto:x@y"),
        (b"http:/x", b"http:/x"),
    ],
)
def test_path_gets_the_prefix_that_was_stripped(reference: bytes, seen: bytes) -> None:
    assert view().reference(reference) == seen


@pytest.mark.parametrize(
    ("reference", "seen"),
    [
        (b"http://10.0.0.5:9001/x", b"https://www.example.com/api/x"),
        (b"http://10.0.0.5:9001", b"https://www.example.com/api/"),
        (b"http://10.0.0.5:9001?x", b"https://www.example.com/api/?x"),
        (b"https://10.0.0.5:9001/api/x", b"https://www.example.com/api/x"),
        (b"http://APP.internal/x", b"https://www.example.com/api/x"),
        (b"//app.internal:80/x", b"https://www.example.com/api/x"),
        (b"http://www.example.com/x", b"https://www.example.com/api/x"),
        (b"https://www.example.com/x", b"https://www.example.com/api/x"),
        (b"https://WWW.example.com:443/x", b"https://WWW.example.com:443/api/x"),
        (b"//www.example.com/x", b"//www.example.com/api/x"),
        (b"http://inner.example/x", b"https://www.example.com/api/x"),
        (b"http://10.0.0.5:9002/x", b"http://10.0.0.5:9002/x"),
        (b"http://other.example/x", b"http://other.example/x"),
        (b"http://app.internal@evil.example/x", b"http://app.internal@evil.example/x"),
        (b"https://www.example.com.evil/x", b"https://www.example.com.evil/x"),
        (b"ftp://app.internal/x", b"ftp://app.internal/x"),
    ],
)
def test_own_urls_become_the_clients_and_those_of_others_stay(reference: bytes, seen: bytes) -> None:
    assert view().reference(reference) == seen


@pytest.mark.parametrize(
    ("options", "reference", "seen"),
    [
        ({"scheme": "http"}, b"https://www.example.com/x", b"https://www.example.com/api/x"),
        ({"scheme": "http", "secure": True}, b"https://www.example.com/x", b"http://www.example.com/api/x"),
        (
            {"authority": "www.example.com:8443"},
            b"http://www.example.com:8443/x",
            b"https://www.example.com:8443/api/x",
        ),
        ({"authority": "www.example.com:8443"}, b"http://www.example.com/x", b"http://www.example.com/x"),
        ({"authority": ""}, b"http://10.0.0.5:9001/x", b"http://10.0.0.5:9001/x"),
    ],
)
def test_scheme_of_the_members_becomes_the_clients(
    options: dict[str, object], reference: bytes, seen: bytes
) -> None:
    assert view(**options).reference(reference) == seen  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reference", "seen"),
    [
        (b"http://shop.internal/x", b"https://www.example.com/api/x"),
        (b"https://shop.internal/x", b"https://www.example.com/api/x"),
        (b"http://shop.internal:9001/x", b"https://www.example.com/api/x"),
        (b"http://shop.internal:7000/x", b"http://shop.internal:7000/x"),
    ],
)
def test_host_that_the_route_sends_is_the_members_own(reference: bytes, seen: bytes) -> None:
    assert view(host="shop.internal").reference(reference) == seen


@pytest.mark.parametrize(
    ("stripped", "reference", "seen"),
    [
        ("/shop", b"/v2/x", b"/shop/x"),
        ("/shop", b"/v2", b"/shop"),
        ("/shop", b"/shop/x", b"/shop/x"),
        ("/shop", b"/v20/x", b"/v20/x"),
        ("/shop", b"/login", b"/login"),
        ("", b"/v2/x", b"/x"),
        ("", b"/v2", b"/"),
        ("", b"/v2/?a", b"/?a"),
        ("", b"/v2//evil.example/", b"/evil.example/"),
        ("", b"/v2/\\evil.example/", b"/evil.example/"),
        ("", b"/v2/..//evil.example", b"/evil.example"),
        ("", b"../..//evil.example", b"/evil.example"),
    ],
)
def test_prefix_that_was_added_goes_and_never_leaves_a_host(
    stripped: str, reference: bytes, seen: bytes
) -> None:
    path = {"path": f"{stripped}/a", "member_path": "/v2/a"}
    assert view(stripped, "/v2", **path).reference(reference) == seen  # type: ignore[arg-type]


def test_prefix_that_outer_proxies_announced_is_not_added_twice() -> None:
    outer = view(announced="/outer/api")
    assert outer.reference(b"/outer/api/x") == b"/outer/api/x"
    assert outer.reference(b"/x") == b"/api/x"


def test_relative_reference_at_the_prefix_itself_is_made_absolute() -> None:
    root = view(path="/api", member_path="/")
    assert root.reference(b"x") == b"/api/x"


@pytest.mark.parametrize(
    ("stripped", "added", "path", "seen"),
    [
        ("/api", "", b"/", b"/api"),
        ("/api", "", b"/x/", b"/api/x/"),
        ("/api", "", b"/api/x", b"/api/x"),
        ("/api", "", b"x", b"x"),
        ("/api", "/v2", b"/", b"/api"),
        ("/api", "/v2", b"/v2", b"/api"),
        ("/api", "/v2", b"/v2/x", b"/api/x"),
        ("/api", "/v2", b"/other", b"/other"),
        ("", "/v2", b"/v2/x", b"/x"),
        ("", "/v2", b"/v2", b"/"),
        ("", "/v2", b"/", b"/"),
    ],
)
def test_cookie_path_becomes_the_clients(stripped: str, added: str, path: bytes, seen: bytes) -> None:
    assert view(stripped, added).cookie_path(b"a", path) == seen


def test_cookie_that_must_be_for_the_root_keeps_its_path() -> None:
    assert view().cookie_path(b"__Host-sid", b"/") == b"/"


@pytest.mark.parametrize(
    ("authority", "domain", "seen"),
    [
        ("www.example.com", b"shop.internal", b"www.example.com"),
        ("www.example.com:8443", b".Internal", b"www.example.com"),
        ("www.example.com", b"10.0.0.5", b"www.example.com"),
        ("www.example.com", b"example.com", b"example.com"),
        ("www.example.com", b"other.example", b"other.example"),
        ("[::1]:80", b"shop.internal", b""),
        ("", b"shop.internal", b"shop.internal"),
    ],
)
def test_cookie_domain_of_the_members_becomes_the_clients_host(
    authority: str, domain: bytes, seen: bytes
) -> None:
    assert view(host="shop.internal", authority=authority).cookie_domain(domain) == seen
