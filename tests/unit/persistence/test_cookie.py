import re
import string
import struct
from base64 import urlsafe_b64encode

import pytest

from adc.http.headers import Headers
from adc.persistence.app_cookie import PrefixedCookie, RewrittenCookie
from adc.persistence.cookie import CookieOptions, CookiePersistence
from adc.persistence.cookie_name import cookie_name
from adc.persistence.decide import Stickiness
from adc.persistence.identity import member_id
from adc.persistence.signing import MARK_CHARACTERS, Sealed, Signer
from tests.unit.persistence.requests import NOW, request

KEY, OLD_KEY = b"k" * 16, b"o" * 16
A, B = member_id("app", "10.0.0.1:80"), member_id("app", "10.0.0.2:80")
STICKY = Stickiness(timeout=3600.0, absolute_timeout=86400.0)


def inserting(
    *keys: bytes, members: tuple[bytes, ...] = (A, B), pool: str = "app", **options: str
) -> CookiePersistence:
    return CookiePersistence(
        CookieOptions(**options),  # type: ignore[arg-type]
        Signer(pool, keys or (KEY,), members),
        STICKY,
    )


def cookie_set(mode: CookiePersistence, *, at: float = NOW, member: bytes = A, scheme: str = "http") -> str:
    headers = Headers()
    mode.response(request(scheme=scheme), headers, member, at, None)
    return (headers.get(b"set-cookie") or b"").decode()


def value_set(mode: CookiePersistence, at: float = NOW, member: bytes = A) -> str:
    return cookie_set(mode, at=at, member=member).partition(";")[0]


def test_cookie_that_was_set_pins_its_client() -> None:
    mode = inserting()
    pin = mode.pinned(request(cookie=f"a=b; {value_set(mode)}; c=d"), NOW + 10)
    assert pin is not None
    assert (pin.member, pin.created, pin.seen) == (A, NOW, NOW)
    assert mode.counts.rejected == {}


def test_request_without_the_cookie_is_not_pinned_and_not_counted() -> None:
    mode = inserting()
    assert mode.pinned(request(cookie="other=1"), NOW) is None
    assert mode.pinned(request(), NOW) is None
    assert mode.counts.rejected == {}


@pytest.mark.parametrize("position", range(MARK_CHARACTERS))
def test_any_changed_character_makes_the_mark_worthless(position: int) -> None:
    signer = Signer("app", [KEY], [A, B])
    mark = signer.sign(A, NOW, NOW)
    for other in string.ascii_letters + string.digits + "-_+/=~ \x7fé":
        if other != mark[position]:
            assert isinstance(signer.read(mark[:position] + other + mark[position + 1 :], NOW), str)


@pytest.mark.parametrize("mark", ["", "x", "A" * 43, "A" * 45, "A" * 47, "=" * 48, "é" * 44, "A" * 100_000])
def test_mark_of_another_shape_is_malformed(mark: str) -> None:
    assert Signer("app", [KEY], [A]).read(mark, NOW) == "malformed"


def test_mark_reveals_no_address_and_no_member_id() -> None:
    one, other = Signer("app", [KEY], [A]), Signer("app", [OLD_KEY], [A])
    assert one.sign(A, NOW, NOW)[2:12] != other.sign(A, NOW, NOW)[2:12]
    raw = one.sign(A, NOW, NOW)
    assert A.hex() not in raw
    assert "10.0" not in raw


def test_mark_of_another_pool_is_refused_and_replaced() -> None:
    elsewhere = inserting(pool="other", members=(A, B))
    mode = inserting()
    forged = value_set(elsewhere)
    assert mode.pinned(request(cookie=forged), NOW) is None
    assert mode.counts.rejected == {"forged": 1}
    assert value_set(mode) != forged


def test_mark_of_a_removed_member_is_refused() -> None:
    mark = value_set(inserting())
    mode = inserting(members=(B,))
    assert mode.pinned(request(cookie=mark), NOW) is None
    assert mode.counts.rejected == {"removed": 1}


def test_mark_written_before_the_clock_was_set_back_counts_as_made_now_and_is_replaced() -> None:
    mode = inserting()
    pin = mode.pinned(request(cookie=value_set(mode, NOW + 7200)), NOW)
    assert pin is not None
    assert (pin.member, pin.created) == (A, NOW)
    assert STICKY.refresh_due(pin, NOW)


SLACK = STICKY.slack


@pytest.mark.parametrize(("age", "pinned"), [(3599.9, True), (3600 + SLACK, False)])
def test_mark_dies_of_idleness(age: float, pinned: bool) -> None:
    mode = inserting()
    assert (mode.pinned(request(cookie=value_set(mode)), NOW + age) is not None) is pinned


def test_mark_dies_of_age_however_often_it_was_refreshed() -> None:
    mode, cookie, at = inserting(), value_set(inserting()), NOW
    while at < NOW + 86400 - 1800:
        at += 1800
        pin = mode.pinned(request(cookie=cookie), at)
        assert pin is not None
        headers = Headers()
        mode.response(request(), headers, A, at, pin)
        cookie = (headers.get(b"set-cookie") or cookie.encode()).decode().partition(";")[0]
    assert mode.pinned(request(cookie=cookie), NOW + 86399.99) is not None
    assert mode.pinned(request(cookie=cookie), NOW + 86400) is None
    assert mode.counts.rejected == {"expired": 1}


def test_cookie_is_refreshed_only_after_a_tenth_of_the_timeout() -> None:
    mode = inserting()
    cookie = value_set(mode)
    for age, refreshed in ((359.9, False), (360.1, True)):
        headers = Headers()
        mode.response(request(), headers, A, NOW + age, mode.pinned(request(cookie=cookie), NOW + age))
        assert (b"set-cookie" in headers) is refreshed


def test_moved_client_gets_a_new_cookie_at_once() -> None:
    mode = inserting()
    pin = mode.pinned(request(cookie=value_set(mode)), NOW + 1)
    headers = Headers()
    mode.response(request(), headers, B, NOW + 1, pin)
    fresh = (headers.get(b"set-cookie") or b"").decode().partition(";")[0]
    moved = mode.pinned(request(cookie=fresh), NOW + 1)
    assert moved is not None
    assert (moved.member, moved.created) == (B, NOW + 1)


def test_old_key_is_believed_and_replaced_by_the_new_one() -> None:
    cookie = value_set(inserting(OLD_KEY))
    mode = inserting(KEY, OLD_KEY)
    pin = mode.pinned(request(cookie=cookie), NOW + 1)
    assert pin is not None
    headers = Headers()
    mode.response(request(), headers, A, NOW + 1, pin)
    fresh = (headers.get(b"set-cookie") or b"").decode().partition(";")[0]
    assert inserting(KEY).pinned(request(cookie=fresh), NOW + 2) is not None
    assert inserting(KEY).pinned(request(cookie=cookie), NOW + 2) is None


@pytest.mark.parametrize(
    ("secure", "scheme", "expected"),
    [("auto", "http", False), ("auto", "https", True), ("true", "http", True), ("false", "https", False)],
)
def test_secure_attribute(secure: str, scheme: str, expected: bool) -> None:
    assert ("; Secure" in cookie_set(inserting(secure=secure), scheme=scheme)) is expected


def test_attributes_are_as_configured() -> None:
    line = cookie_set(inserting(name="S", path="/app", domain="example.com", same_site="strict"))
    assert line.startswith("S=")
    assert line.endswith("; Path=/app; Domain=example.com; HttpOnly; SameSite=Strict")


def test_member_does_not_see_the_cookie_and_sees_all_others() -> None:
    mode = inserting()
    headers = request(cookie=f'a=b; {value_set(mode)};c="d"; XADCSESSION=1').headers
    mode.forward(headers)
    assert headers.get_all(b"cookie") == [b'a=b;c="d"; XADCSESSION=1']
    alone = request(cookie=value_set(mode)).headers
    mode.forward(alone)
    assert b"cookie" not in alone


def test_signer_needs_a_key() -> None:
    with pytest.raises(ValueError, match="key"):
        Signer("app", [], [A])


def test_rewritten_cookie_keeps_its_attributes_and_pins() -> None:
    mode = RewrittenCookie("SRV", Signer("app", [KEY], [A, B]), STICKY)
    headers = Headers([(b"Set-Cookie", b"SRV=node1; Path=/x; HttpOnly"), (b"Set-Cookie", b"other=1")])
    mode.response(request(), headers, B, NOW, None)
    line, other = headers.get_all(b"set-cookie")
    assert other == b"other=1"
    assert line.endswith(b"; Path=/x; HttpOnly")
    assert b"node1" not in line
    pin = mode.pinned(request(cookie=line.decode().partition(";")[0]), NOW)
    assert pin is not None
    assert pin.member == B


def test_prefixed_cookie_pins_and_gives_the_application_its_own_value_back() -> None:
    mode = PrefixedCookie("sid", Signer("app", [KEY], [A, B]), STICKY)
    headers = Headers([(b"Set-Cookie", b"sid=abc~def; Path=/")])
    mode.response(request(), headers, A, NOW, None)
    cookie = (headers.get(b"set-cookie") or b"").decode().partition(";")[0]
    asked = request(cookie=f"x=1; {cookie}")
    pin = mode.pinned(asked, NOW)
    assert pin is not None
    assert pin.member == A
    mode.forward(asked.headers)
    assert asked.headers.get(b"cookie") == b"x=1; sid=abc~def"


def test_application_that_removes_its_cookie_is_left_to_it() -> None:
    mode = PrefixedCookie("sid", Signer("app", [KEY], [A, B]), STICKY)
    headers = Headers([(b"Set-Cookie", b"sid=; Max-Age=0")])
    mode.response(request(), headers, A, NOW, None)
    assert headers.get(b"set-cookie") == b"sid=; Max-Age=0"


def former_mark(key: bytes, created: int, seen: int) -> str:
    """A mark as earlier versions made them, with times in whole seconds."""
    made = Signer("app", [key], [A])._keys[0]
    body = struct.pack(">B8sII", made.number, made.token(A), created, seen)
    return urlsafe_b64encode(body + made.mac(body)).decode()


def test_mark_of_the_former_layout_is_believed_and_replaced() -> None:
    mode = inserting()
    pin = mode.pinned(request(cookie=f"ADCSESSION={former_mark(KEY, int(NOW), int(NOW))}"), NOW + 3600)
    assert pin is not None
    assert pin.member == A
    assert STICKY.refresh_due(pin, NOW + 3600)
    prefixed = PrefixedCookie("sid", Signer("app", [KEY], [A, B]), STICKY)
    asked = request(cookie=f"sid={former_mark(KEY, int(NOW), int(NOW))}~theirs")
    assert prefixed.pinned(asked, NOW) is not None
    prefixed.forward(asked.headers)
    assert asked.headers.get(b"cookie") == b"sid=theirs"


def test_times_in_a_mark_are_exact_to_a_millisecond() -> None:
    signer = Signer("app", [KEY], [A])
    sealed = signer.read(signer.sign(A, NOW + 0.1239, NOW + 5.4321), NOW + 9)
    assert isinstance(sealed, Sealed)
    assert sealed.pin.created == pytest.approx(NOW + 0.123)
    assert NOW + 5.4321 <= sealed.pin.seen <= NOW + 5.4335


def test_genuine_mark_says_who_signed_it() -> None:
    sealed = Signer("app", [KEY, OLD_KEY], [A]).read(Signer("app", [OLD_KEY], [A]).sign(A, NOW, NOW), NOW)
    assert isinstance(sealed, Sealed)
    assert not sealed.current


def test_first_valid_of_several_cookies_counts() -> None:
    mode = inserting()
    foreign, mine = value_set(inserting(pool="other")), value_set(mode)
    for cookie in (f"{foreign}; {mine}", f"{mine}; {foreign}", f"ADCSESSION=; a=1; {mine}"):
        pin = mode.pinned(request(cookie=cookie), NOW)
        assert pin is not None
        assert pin.member == A
    pin = mode.pinned(request(cookie=f"{value_set(mode, member=B)}; {mine}"), NOW)
    assert pin is not None
    assert pin.member == B


@pytest.mark.parametrize("kind", [RewrittenCookie, PrefixedCookie])
def test_first_valid_of_several_cookies_of_the_application_counts(kind: type[RewrittenCookie]) -> None:
    mode = kind("sid", Signer("app", [KEY], [A, B]), STICKY)
    headers = Headers([(b"Set-Cookie", b"sid=x; Path=/")])
    mode.response(request(), headers, B, NOW, None)
    mine = (headers.get(b"set-cookie") or b"").decode().partition(";")[0]
    pin = mode.pinned(request(cookie=f"sid=plain; sid={'A' * 44}~x; {mine}"), NOW)
    assert pin is not None
    assert pin.member == B


def test_default_names_differ_between_pools_and_a_configured_name_stays() -> None:
    assert cookie_name("a", None) != cookie_name("b", None)
    assert cookie_name("a", None) == cookie_name("a", None)
    assert cookie_name("a", "S") == "S"
    assert re.fullmatch(r"ADCSESSION_[0-9a-f]{8}", cookie_name('a b"c/ü', None))


def test_cookie_under_the_former_name_is_believed_and_replaced() -> None:
    mark = value_set(inserting())
    mode = inserting(name="ADCSESSION_1", former_name="ADCSESSION")
    asked = request(cookie=f"{mark}; ADCSESSION=theirs; b=2")
    pin = mode.pinned(asked, NOW + 1)
    assert pin is not None
    assert pin.member == A
    headers = Headers()
    mode.response(asked, headers, A, NOW + 1, pin)
    assert (headers.get(b"set-cookie") or b"").startswith(b"ADCSESSION_1=")
    mode.forward(asked.headers)
    assert asked.headers.get_all(b"cookie") == [b"ADCSESSION=theirs; b=2"]
    foreign = value_set(inserting(pool="other"))
    assert mode.pinned(request(cookie=foreign), NOW) is None
    assert mode.counts.rejected == {}
