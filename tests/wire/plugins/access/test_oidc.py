"""Login at a real, small OpenID provider."""

import asyncio
import contextlib
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.kit.browser import Browser
from tests.kit.member import Member, answering, echo
from tests.kit.openid_provider import SECRET, OpenIdProvider
from tests.kit.proxy import config, serving
from tests.kit.tokens import key


class Site:
    """A proxy with `oidc`, its member, its provider, and a browser."""

    def __init__(self, proxy, member, provider):
        self.proxy = proxy
        self.member = member
        self.provider = provider
        self.browser = Browser(proxy.port)

    @property
    def plugin(self):
        return self.proxy.worker.runtime.plugins.chains["all"].uses[0].plugin

    def pass_time(self, seconds):
        """Move the wall clock of the plugin."""
        self.plugin._host._services.wall = lambda: time.time() + seconds


@contextlib.asynccontextmanager
async def site(folder, *, provider=None, route=None, top=None, **options):
    async with provider or OpenIdProvider() as provider, Member(answering(echo)) as member:
        oidc = {"issuer": provider.issuer, "client_id": "web", "client_secret": SECRET, **options}
        mapping = config(member.address, route={"plugins": [{"oidc": oidc}], **(route or {})}, **(top or {}))
        mapping.setdefault("state", {"path": str(folder / "state")})
        async with serving(folder, mapping) as proxy:
            yield Site(proxy, member, provider)
        assert not set(provider.problems) - {"invalid_grant"}, provider.problems


@pytest.mark.parametrize("session", ["cookie", "table"])
async def test_login_leads_back_to_the_page_with_the_user_named(tmp_path, session):
    async with site(tmp_path, session=session) as here:
        reply = await here.browser.follow("/reports?year=1&b=%20", "X-Forwarded-User: root")
        assert reply.status == 200
        assert reply.body.startswith(b"GET /reports?year=1&b=%20 HTTP/1.1\r\n")
        assert b"X-Forwarded-User: alice\r\n" in reply.body
        assert b"X-Forwarded-Email: alice@example.com\r\n" in reply.body
        assert b"adc_session" not in reply.body
        assert list(here.browser.cookies) == ["adc_session"]
        attributes = {each.strip() for each in here.browser.attributes["adc_session"].split(";")}
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= attributes
        assert "alice" not in here.browser.cookies["adc_session"]
        reply = await here.browser.get("/next", "X_Forwarded_User: root")
        assert (reply.status, b"root" in reply.body) == (200, False)
        assert here.provider.requests.count("authorize") == 1
        logs = str(here.proxy.access_log()) + here.proxy.error_log()
        assert "code=" not in logs
        for tokens in here.provider.issued:
            assert not any(str(value) in logs for name, value in tokens.items() if name.endswith("token"))


async def test_cookies_of_the_application_reach_it_alone(tmp_path):
    async with site(tmp_path) as here:
        await here.browser.follow("/")
        here.browser.cookies["app"] = "1"
        reply = await here.browser.get("/")
        assert b"Cookie: app=1\r\n" in reply.body
        assert b"adc_session" not in reply.body


PROGRAMS = [
    ("Accept: application/json",),
    ("Accept: text/html", "X-Requested-With: x"),
    ("Accept: text/html", "Sec-Fetch-Mode: cors"),
    (),
]


@pytest.mark.parametrize("fields", PROGRAMS)
async def test_request_of_a_program_gets_401(tmp_path, fields):
    async with site(tmp_path) as here:
        reply = await here.browser.get("/api", *fields, navigates=False)
        assert reply.status == 401
        assert reply[b"www-authenticate"].startswith(b"Bearer")
        assert not here.member.requests


async def test_state_of_another_browser_is_refused(tmp_path):
    """Login CSRF: a victim is sent to the end of the attacker's login."""
    async with site(tmp_path) as here:
        attacker = Browser(here.proxy.port)
        begun = await attacker.get("/")
        ended = await attacker.get(begun[b"location"].decode())
        victim = await here.browser.get(ended[b"location"].decode())
        assert victim.status == 400
        assert "adc_session" not in here.browser.cookies


async def test_end_of_a_login_is_accepted_once(tmp_path):
    async with site(tmp_path) as here:
        begun = await here.browser.get("/")
        ended = await here.browser.get(begun[b"location"].decode())
        cookies = dict(here.browser.cookies)
        assert (await here.browser.get(ended[b"location"].decode())).status == 302
        assert (await here.browser.get(ended[b"location"].decode())).status == 400
        here.browser.cookies = cookies
        assert (await here.browser.get(ended[b"location"].decode())).status == 403  # the code is used up


@pytest.mark.parametrize(
    "change", ["state=x", "state=x&state=y", "error=access_denied", "iss=https%3A%2F%2Fevil.test", "code="]
)
async def test_changed_end_of_a_login_is_refused(tmp_path, change):
    async with site(tmp_path) as here:
        begun = await here.browser.get("/")
        ended = await here.browser.get(begun[b"location"].decode())
        parts = urlsplit(ended[b"location"].decode())
        name = change.partition("=")[0]
        kept = [field for field in parts.query.split("&") if not field.startswith(f"{name}=")]
        reply = await here.browser.get(f"{parts.path}?{'&'.join([*kept, change])}")
        assert reply.status in (400, 403)
        assert "adc_session" not in here.browser.cookies


@pytest.mark.parametrize("target", ["//evil.test/x", "/\\evil.test", "//evil.test%2f.."])
async def test_user_is_never_sent_to_another_site(tmp_path, target):
    async with site(tmp_path) as here:
        begun = await here.browser.get(f"http://127.0.0.1:{here.proxy.port}{target}")
        if begun.status == 302:
            ended = await here.browser.get(begun[b"location"].decode())
            reply = await here.browser.get(ended[b"location"].decode())
            assert reply[b"location"][:1] == b"/"
            assert reply[b"location"][1:2] not in (b"/", b"\\")
        else:
            assert begun.status == 400


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "other"},
        {"nonce": None},
        {"aud": "other"},
        {"aud": ["web", "other"]},
        {"azp": "other"},
        {"iss": "https://evil.test"},
        {"exp": 1},
        {"at_hash": "AAAA"},
        {"sub": None},
    ],
)
async def test_id_token_that_is_not_of_this_login_is_refused(tmp_path, claims):
    async with site(tmp_path) as here:
        here.provider.id_claims = claims
        assert (await here.browser.follow("/")).status == 403
        assert "adc_session" not in here.browser.cookies


async def test_id_token_of_another_key_is_refused_and_of_a_new_one_accepted(tmp_path):
    async with site(tmp_path) as here:
        here.provider.signed_by = key("EC", "unknown")
        assert (await here.browser.follow("/")).status == 403
        here.plugin._flow._keys._fetched = float("-inf")
        here.provider.published = [here.provider.signed_by]
        assert (await here.browser.follow("/")).status == 200


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"allow_emails": ["alice@example.com"]}, 200),
        ({"allow_emails": "@EXAMPLE.com"}, 200),
        ({"allow_emails": "@ple.com"}, 403),
        ({"allow_emails": ["bob@example.com"]}, 403),
        ({"allow_emails": ["bob@example.com"], "allow_groups": ["staff"]}, 200),
        ({"allow_groups": ["admin"]}, 403),
        ({"require": {"email_verified": True}}, 200),
        ({"require": {"tenant": "x"}}, 403),
    ],
)
async def test_only_allowed_users_pass(tmp_path, options, status):
    async with site(tmp_path, **options) as here:
        assert (await here.browser.follow("/")).status == status
        assert len(here.member.requests) == (status == 200)


async def test_email_that_is_not_verified_does_not_count(tmp_path):
    async with site(tmp_path, allow_emails="@example.com") as here:
        here.provider.user = {**here.provider.user, "email_verified": False}
        assert (await here.browser.follow("/")).status == 403


async def test_session_of_one_route_does_not_pass_the_rules_of_another(tmp_path):
    async with site(tmp_path) as here:
        await here.browser.follow("/")
        oidc = {"issuer": here.provider.issuer, "client_id": "web", "client_secret": SECRET}

        def restrict(mapping):
            mapping["routes"][0]["plugins"] = [{"oidc": {**oidc, "allow_groups": ["admin"]}}]

        await here.proxy.change(restrict)
        assert (await here.browser.get("/")).status == 403


@pytest.mark.parametrize("session", ["cookie", "table"])
async def test_session_outlives_a_reload_and_a_restart(tmp_path, session):
    async with OpenIdProvider() as provider:
        browser = None
        for _ in range(2):
            async with Member(answering(echo)) as member:
                oidc = {
                    "issuer": provider.issuer,
                    "client_id": "web",
                    "client_secret": SECRET,
                    "session": session,
                }
                state = {"path": str(tmp_path / "state")}
                mapping = config(member.address, route={"plugins": [{"oidc": oidc}]}, state=state)
                async with serving(tmp_path, mapping) as proxy:
                    if browser is None:
                        browser = Browser(proxy.port)
                        await browser.follow("/")
                    browser.port = proxy.port
                    assert (await browser.get("/")).status == 200
                    await proxy.change(lambda mapping: mapping["routes"][0].update(name="all"))
                    assert (await browser.get("/")).status == 200


@pytest.mark.parametrize(
    "change", [lambda text: text[:-2] + "AA", lambda text: text[::-1], lambda text: "A" * 200]
)
@pytest.mark.parametrize("session", ["cookie", "table"])
async def test_changed_session_cookie_is_no_session(tmp_path, session, change):
    async with site(tmp_path, session=session) as here:
        await here.browser.follow("/")
        here.browser.cookies["adc_session"] = change(here.browser.cookies["adc_session"])
        assert (await here.browser.get("/")).status == 302


@pytest.mark.parametrize("session", ["cookie", "table"])
async def test_large_session_is_kept(tmp_path, session):
    async with site(tmp_path, session=session, headers={"X-Groups": "groups"}) as here:
        here.provider.user = {"sub": "alice", "groups": [f"group-{number:04}" for number in range(300)]}
        reply = await here.browser.follow("/")
        assert reply.status == 200
        assert b"group-0299" in reply.body
        assert (len(here.browser.cookies) > 1) is (session == "cookie")
        assert (await here.browser.get("/")).status == 200


async def test_session_that_is_too_large_for_cookies_is_an_error_with_advice(tmp_path):
    async with site(tmp_path) as here:
        here.provider.user = {"sub": "alice", "groups": ["x" * 100] * 300}
        assert (await here.browser.follow("/")).status == 500
        assert "use session: table" in here.proxy.error_log()


@pytest.mark.parametrize("session", ["cookie", "table"])
async def test_session_is_renewed_once_for_requests_at_the_same_time(tmp_path, session):
    async with site(tmp_path, session=session) as here:
        await here.browser.follow("/")
        here.provider.user = {**here.provider.user, "email": "new@example.com"}
        here.pass_time(280)
        replies = await asyncio.gather(*(here.browser.get("/") for _ in range(5)))
        assert [reply.status for reply in replies] == [200] * 5
        assert all(b"new@example.com" in reply.body for reply in replies)
        assert here.provider.requests.count("token") == 2
        assert (await here.browser.get("/")).status == 200
        assert here.provider.requests.count("token") == 2
        assert not here.provider.problems


async def test_session_ends_if_the_provider_refuses_to_renew_it(tmp_path):
    async with site(tmp_path) as here:
        await here.browser.follow("/")
        here.provider._refresh.clear()
        here.pass_time(280)
        assert (await here.browser.get("/")).status == 200  # another worker may have renewed it a moment ago
        here.plugin._pending.clear()
        for name, _ in here.plugin._claims.scan().entries:
            here.plugin._claims.delete(name)
        here.pass_time(600)
        assert (await here.browser.get("/")).status == 302


async def test_session_goes_on_while_the_provider_is_away(tmp_path):
    async with site(tmp_path) as here:
        await here.browser.follow("/")
        here.provider.down = True
        here.pass_time(600)
        assert (await here.browser.get("/")).status == 200


async def test_session_ends_after_its_lifetime(tmp_path):
    async with site(tmp_path, lifetime="1h", refresh=False) as here:
        await here.browser.follow("/")
        here.pass_time(3599)
        assert (await here.browser.get("/")).status == 200
        here.pass_time(3601)
        assert (await here.browser.get("/")).status == 302


@pytest.mark.parametrize("session", ["cookie", "table"])
async def test_logout_ends_the_session_here_and_at_the_provider(tmp_path, session):
    async with site(tmp_path, session=session) as here:
        await here.browser.follow("/")
        cookies = dict(here.browser.cookies)
        left = await here.browser.get("/oauth2/logout")
        asked = parse_qs(urlsplit(left[b"location"].decode()).query)
        assert asked["id_token_hint"] == [here.provider.issued[0]["id_token"]]
        assert asked["post_logout_redirect_uri"] == [f"http://127.0.0.1:{here.proxy.port}/"]
        assert not here.browser.cookies
        assert (await here.browser.get("/")).status == 302
        here.browser.cookies = cookies
        stolen = await here.browser.get("/")
        assert stolen.status == (302 if session == "table" else 200)


@pytest.mark.parametrize("session", ["cookie", "table"])
async def test_routes_with_the_same_provider_and_client_share_the_session(tmp_path, session):
    async with site(tmp_path, session=session) as here:

        def split(mapping):
            route = mapping["routes"][0]
            mapping["routes"] = [{**route, "name": "b", "match": {"path": "/b/"}}, route]

        await here.proxy.change(split)
        assert (await here.browser.follow("/b/page")).status == 200
        assert (await here.browser.get("/page")).status == 200
        assert here.provider.requests.count("authorize") == 1
        assert (await here.browser.get("/oauth2/logout")).status == 302
        assert (await here.browser.get("/b/page")).status == 302


async def test_other_site_cannot_log_a_user_out(tmp_path):
    async with site(tmp_path) as here:
        await here.browser.follow("/")
        assert (await here.browser.get("/oauth2/logout", "Sec-Fetch-Site: cross-site")).status == 403
        assert (await here.browser.get("/")).status == 200


async def test_member_gets_the_access_token_and_userinfo_on_request(tmp_path):
    headers = {"X-Name": "name"}
    async with site(tmp_path, bearer="access_token", userinfo=True, headers=headers) as here:
        reply = await here.browser.follow("/", "Authorization: Bearer spoofed")
        access = here.provider.issued[0]["access_token"].encode()
        assert b"Authorization: Bearer " + access + b"\r\n" in reply.body
        assert b"X-Name: Alice A.\r\n" in reply.body


async def test_provider_that_is_away_is_a_503_and_found_later(tmp_path):
    provider = OpenIdProvider()
    provider.down = True
    async with site(tmp_path, provider=provider) as here:
        assert (await here.browser.get("/")).status == 503
        provider.down = False
        here.plugin._provider._due = float("-inf")
        here.plugin._flow._keys._fetched = float("-inf")
        assert (await here.browser.follow("/")).status == 200


async def test_logins_in_many_tabs_leave_few_cookies(tmp_path):
    async with site(tmp_path) as here:
        for _ in range(20):
            await here.browser.get("/")
            assert len(here.browser.cookies) <= 6


async def test_public_url_is_used_and_makes_cookies_secure(tmp_path):
    async with site(tmp_path, public_url="https://www.example.com") as here:
        begun = await here.browser.get("/")
        asked = parse_qs(urlsplit(begun[b"location"].decode()).query)
        assert asked["redirect_uri"] == ["https://www.example.com/oauth2/callback"]
        (name,) = here.browser.cookies
        assert name.startswith("__Host-adc_session_login_")
        assert "Secure" in here.browser.attributes[name]
