"""Decisions of the routes about a request that is never sent: for `adc explain` and `adc test`."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adc.http.client import Client
from adc.http.fields import SPOOFABLE_FIELDS, divide, is_reserved
from adc.http.headers import Headers
from adc.http.message import Request
from adc.http.networks import parse_address, plain_address
from adc.http.target import BadHost, BadTarget, parse_host, split_absolute, split_target
from adc.proxy.stages.to_https import ToHttps
from adc.routing.redirect import Redirect
from adc.routing.router import ExplainStep, Router
from adc.routing.settle import settle
from adc.runtime.assembly.identity import believe, trusted_proxies
from adc.runtime.assembly.routes import compile_rewrite, path_policy
from adc.runtime.assembly.runtime import rules_of
from adc.runtime.errors import BuildError

if TYPE_CHECKING:
    from adc.config import Config, Loaded
    from adc.config.model.listeners import Listener, RedirectToHttps
    from adc.config.model.routes import Route


class BadQuestion(Exception):
    """The request cannot be asked about; the text is for the user."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision about a request: each step, the matching route, and the outcome."""

    steps: list[ExplainStep]
    routes: list[Route]
    """Routes of the listener in order; `ExplainStep.rule` counts in it."""

    route: Route | None
    outcome: dict[str, Any]
    """`route`, then the applicable ones of `plugins` (which may decide differently), `pool`, `split`, `files`,
    `redirect`, `status`, `path`, `host`, `why` (of a rejection) and `by` (the step before the routes that decides)."""


def listener_for(loaded: Loaded, name: str | None, url: str) -> Listener:
    """Return the HTTP listener called `name`; without a name the first one for the scheme of `url`, or the first one.

    Raises BadQuestion.
    """
    listeners = [each for each in loaded.config.listeners if each.protocol == "http"]
    if not listeners:
        raise BadQuestion("no listener has protocol: http; only those have routes")
    if name is None:
        scheme = url.partition("://")[0].lower()
        serving = [each for each in listeners if scheme == ("http" if each.tls is None else "https")]
        return (serving or listeners)[0]
    for listener in loaded.config.listeners:
        if listener.name == name:
            if listener.protocol != "http":
                raise BadQuestion(f"listener {name} has protocol: {listener.protocol}; only http has routes")
            return listener
    raise BadQuestion(f"there is no listener {name}; there are: {', '.join(each.name for each in listeners)}")


def make_request(
    method: str, url: str, fields: Iterable[tuple[str, str]], source: str, secure: bool = False
) -> Request:
    """Return the request as a codec would read it. `url` is a path or a whole URL. Raises BadQuestion."""
    try:
        client = plain_address(str(ipaddress.ip_address(source)))
        lines = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    except (ValueError, UnicodeEncodeError) as error:
        raise BadQuestion(str(error)) from None
    scheme, place, target = "https" if secure else "http", "localhost", url
    if not url.startswith("/"):
        try:
            scheme, place, target = split_absolute(url.partition("#")[0])
        except BadTarget:
            raise BadQuestion(f"{url}: only http:// and https:// addresses, or a path") from None
    given = [value for name, value in lines if name.lower() == b"host"]
    authority = given[-1].decode("latin-1") if given else place
    if not given:
        lines.insert(0, (b"Host", authority.encode("latin-1", "replace")))
    try:
        path, query, plain = split_target(target)
        host = parse_host(authority)
        kept, proxy_fields, _ = divide(lines)
    except (BadTarget, BadHost, ValueError) as error:
        raise BadQuestion(f"{method} {url} is answered with 400: {error}") from None
    request = Request(
        method,
        target,
        path,
        query,
        authority,
        host,
        Headers(kept),
        proxy_fields,
        scheme=scheme,
        client=Client(client, scheme, _server_name(host) if scheme == "https" else ""),
    )
    request.plain = plain
    return request


def _server_name(host: str) -> str:
    """Return the server name that a client of `host` sends in the handshake: no address (RFC 6066 section 3)."""
    return "" if parse_address(host.strip("[]")) else host


def decide(loaded: Loaded, listener: Listener, request: Request) -> Decision:
    """Return the decision of `listener` about `request`, by the code that serves. Raises BadQuestion.

    Plugins (named in the outcome), client certificates, caches, limits, and the state of members are ignored.
    """
    identify(loaded.config, listener, request)
    redirect = listener.redirect_to_https
    if redirect is not None and request.scheme != "https":
        return Decision([], [], None, _to_https(listener.name, redirect, request))
    try:
        rules = rules_of(loaded.config, listener, lambda path: str(loaded.where(path)))
    except BuildError as error:
        raise BadQuestion(str(error)) from None
    router = Router(rules)
    settled = settle(request, router.find, path_policy)
    steps, routes = router.explain(request), [rule.value for rule in rules]
    if settled.refusal:
        name = None if settled.value is None else settled.value.name
        return Decision(steps, routes, settled.value, {"route": name, "status": 400, "why": settled.refusal})
    request.target = settled.target
    return Decision(steps, routes, settled.value, _outcome(settled.value, request))


def identify(config: Config, listener: Listener, request: Request) -> None:
    """Apply the fields of a trusted proxy about the client, and drop those of other senders."""
    networks = trusted_proxies(config, listener)
    believe(networks, request)
    if not networks.contains(request.client.peer):
        request.headers.remove(*SPOOFABLE_FIELDS)
    request.headers.remove(*{name.lower() for name, _ in request.headers.pairs if is_reserved(name)})


def _to_https(listener: str, redirect: RedirectToHttps, request: Request) -> dict[str, Any]:
    by = f"listener {listener}: redirect_to_https"
    if not request.host:
        return {"route": None, "status": 400, "by": by}
    location = ToHttps(redirect.status, redirect.port).location(request)
    return {"route": None, "status": redirect.status, "redirect": location, "by": by}


def _outcome(route: Route | None, request: Request) -> dict[str, Any]:
    if route is None:
        return {"route": None, "status": 404}
    outcome: dict[str, Any] = {"route": route.name}
    if route.plugins:
        outcome["plugins"] = [plugin.name for plugin in route.plugins]
    if route.respond is not None:
        return outcome | {"status": route.respond.status}
    if route.redirect is not None:
        redirect = Redirect(route.redirect.to, route.redirect.status)
        return outcome | {"status": redirect.status, "redirect": redirect.location(request)}
    rewrite = compile_rewrite(route.rewrite)
    try:
        path = rewrite.target(request.path, request.target).partition("?")[0]
    except BadTarget:
        return outcome | {"status": 400}
    seen = {"path": path, "host": rewrite.host or request.authority}
    if route.files is not None:
        return outcome | {"files": route.files.root, "path": path}
    if route.split is not None:
        return outcome | {"split": dict(route.split)} | seen
    return outcome | {"pool": route.pool} | seen
