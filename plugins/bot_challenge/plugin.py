"""A page that has browsers compute something before they reach the site."""

from __future__ import annotations

import secrets
from hashlib import sha256
from importlib.resources import files

from adc_plugins.bot_challenge.options import BotChallengeOptions
from adc_plugins.bot_challenge.proof import CHALLENGE_SECONDS, Proofs

from adc.plugin import (
    Context,
    CookieAttributes,
    Host,
    OptionErrors,
    Plugin,
    Request,
    Response,
    format_set_cookie,
    parse_address,
    parse_cookies,
)

_FIELD = b"bot-challenge-solution"
_LONGEST = 200
_MOST_SPENT = 100_000
_NETWORK_BYTES = 8
_STATUS = 403


class BotChallenge(Plugin[BotChallengeOptions]):
    """Challenges clients that have no pass: a small proof of work in JavaScript, then a signed cookie.

    Challenges and passes are bound to the client's address, its User-Agent, the host and the time. A challenge earns
    one pass.
    """

    def __init__(self, options: BotChallengeOptions) -> None:
        super().__init__(options)
        for path in options.exempt_paths:
            if not path.startswith("/"):
                raise OptionErrors([(("exempt_paths",), f"{path!r:.100} is no path such as /robots.txt")])
        self._exempt = frozenset(options.exempt_paths)
        self._exempt_below = tuple(path for path in options.exempt_paths if path.endswith("/"))
        self._crawlers = [(each.agent.lower().encode(), each.sources) for each in options.crawlers]
        folder = files("adc_plugins.bot_challenge")
        page = folder.joinpath("page.html.j2").read_text("utf-8")
        page = page.replace("@SCRIPT@", folder.joinpath("solve.js").read_text("utf-8").strip())
        self._page = page.replace("@DIFFICULTY@", str(options.difficulty))

    async def start(self, host: Host) -> None:
        """Get the keys, and open the table of challenges that were used."""
        self._host = host
        self._challenged = host.counter("challenged", "Requests that were answered with a challenge.")
        self._refused = host.counter("refused", "Requests without a pass that do not accept HTML.")
        self._solved = host.counter("solved", "Challenges that were solved.")
        self._failed = host.counter("failed", "Solutions that were not accepted.")
        self._spent = host.table("spent", _MOST_SPENT)
        self._proofs = Proofs(await host.keys("challenge"), self.options.difficulty)

    def request_head(self, context: Context) -> Response | None:
        """Let clients with a pass through; challenge the others."""
        request = context.request
        headers = request.headers
        client = _client(context)
        solution = headers.get(_FIELD)
        if solution is not None:
            headers.remove(_FIELD)
            return self._redeem(context, client, solution)
        cookie = parse_cookies(headers).get(self._cookie(request))
        if cookie and self._proofs.has_pass(cookie, client, self._host.wall()):
            return None
        if self._is_exempt(context):
            return None
        if b"text/html" not in (headers.joined(b"accept") or b"").lower():
            if self.options.api == "pass":
                return None
            self._refused.add()
            if self.options.dry_run:
                return None
            return Response(_STATUS, {"Cache-Control": "no-store"}, error_page=True)
        self._challenged.add()
        return None if self.options.dry_run else self._challenge(client)

    def _is_exempt(self, context: Context) -> bool:
        path = context.request.path
        if path in self._exempt or path.startswith(self._exempt_below):
            return True
        if self.options.allow.contains(context.client):
            return True
        agent = (context.request.headers.get(b"user-agent") or b"").lower()
        return any(name in agent and sources.contains(context.client) for name, sources in self._crawlers)

    def _challenge(self, client: bytes) -> Response:
        nonce = secrets.token_urlsafe(16)
        challenge = self._proofs.challenge(client, self._host.wall())
        page = self._page.replace("@CHALLENGE@", challenge).replace("@NONCE@", nonce)
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'"
        )
        fields = {
            "Content-Type": "text/html; charset=utf-8",
            "Cache-Control": "no-store",
            "Content-Security-Policy": f"{policy}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex",
        }
        return Response(_STATUS, fields, page)

    def _redeem(self, context: Context, client: bytes, solution: bytes) -> Response:
        """Exchange a solution for a pass, once."""
        now = self._host.wall()
        text = solution.decode("latin-1") if len(solution) <= _LONGEST else ""
        solved = self._proofs.check(text, client, now) if text.isascii() else None
        if solved is None or self._spent.add(solved.identity, 1, CHALLENGE_SECONDS + 10.0).total > 1:
            self._failed.add()
            return Response(_STATUS, {"Cache-Control": "no-store"}, "The solution is not accepted.\n")
        self._solved.add()
        request = context.request
        secure = request.scheme == "https"
        value = self._proofs.make_pass(client, now + self.options.lifetime)
        attributes = CookieAttributes(max_age=int(self.options.lifetime), secure=secure, same_site="lax")
        line = format_set_cookie(self._cookie(request), value, attributes).decode("latin-1")
        return Response(204, {"Set-Cookie": line, "Cache-Control": "no-store"})

    def _cookie(self, request: Request) -> str:
        return f"__Host-{self.options.cookie}" if request.scheme == "https" else self.options.cookie


def _client(context: Context) -> bytes:
    """Return what a challenge is bound to. An address of IPv6 counts with its /64 network: browsers change the rest."""
    request = context.request
    address = parse_address(context.client)
    if address is None:
        source = context.client.encode()
    else:
        source = address.packed if address.version == 4 else address.packed[:_NETWORK_BYTES]
    agent = request.headers.get(b"user-agent") or b""
    return sha256(b"\0".join((source, request.host.encode(), agent))).digest()
