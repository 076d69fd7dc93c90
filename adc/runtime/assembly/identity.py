"""The identity of a request's client, from trusted proxies and the TLS handshake, and of its trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from adc.codecs.refused import Refused
from adc.config import Config
from adc.config.model.listeners import Listener
from adc.http.forwarded import client_address, client_scheme
from adc.http.message import Request
from adc.http.networks import Networks
from adc.net import client_certificate
from adc.net.certificates import host_of
from adc.net.tls import ServerTls
from adc.runtime.assembly.trace_context import begin_trace

Identify = Callable[[Request], None]


def trusted_proxies(config: Config, listener: Listener) -> Networks:
    """Return the proxies that may name the clients of `listener`."""
    trusted = config.trusted_proxies if listener.trusted_proxies is None else listener.trusted_proxies
    return Networks([str(network) for network in trusted])


def identification(
    config: Config, listener: Listener, trusted: Networks, tls: ServerTls | None
) -> Identify | None:
    """Return the steps that `listener` needs, None if it needs none; they may raise `Refused`.

    Fields about client certificates are removed on every listener as soon as any listener asks for certificates: a
    member cannot distinguish the listeners.
    """
    steps: list[Identify] = []
    if tls is not None and tls.options.client_auth != "none":
        steps.append(partial(_tell_certificate, tls))
    elif any(_asks_for_certificates(config)):
        steps.append(_strip_certificate)
    if trusted:
        steps.append(partial(believe, trusted))
    if listener.trace_context is not None:
        steps.append(partial(begin_trace, trusted, listener.trace_context.sampled))
    if not steps:
        return None
    return steps[0] if len(steps) == 1 else partial(_all, steps)


def _asks_for_certificates(config: Config) -> list[bool]:
    return [
        listener.tls is not None and listener.tls.client_auth.mode != "none" for listener in config.listeners
    ]


def _all(steps: Sequence[Identify], request: Request) -> None:
    for step in steps:
        step(request)


def _tell_certificate(tls: ServerTls, request: Request) -> None:
    """Pass the certificate on. A name of another certificate than the handshake's gets 421 (RFC 9110 section 15.5.20):
    what was asked of the client may not be what is asked there.
    """
    client = request.client
    if client.scheme != "https":
        client_certificate.strip(request)
        return
    client_certificate.tell(request, client.certificate)
    host = host_of(request.authority)
    if client.sni and host != client.sni and not tls.same_certificate(client.sni, host):
        raise Refused(421, "bad_request", f"{host} is not served on a connection to {client.sni}")


def _strip_certificate(request: Request) -> None:
    client_certificate.strip(request)


def believe(trusted: Networks, request: Request) -> None:
    """Set the client's address and scheme as trusted proxies state them."""
    if not trusted.contains(request.client.peer):
        return
    if b"x-forwarded-for" in request.proxy_fields:
        request.source = client_address(
            request.client.peer, request.headers.get_all(b"x-forwarded-for"), trusted
        )
    if b"x-forwarded-proto" in request.proxy_fields:
        addresses = request.headers.get_all(b"x-forwarded-for")
        said = client_scheme(
            request.client.peer, addresses, request.proxy_fields[b"x-forwarded-proto"], trusted
        )
        request.scheme = said or request.scheme
