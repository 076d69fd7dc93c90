"""The listener for other nodes of the cluster, and the pipelines that their requests go through."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adc.config import Config
from adc.config.model.listeners import Listener
from adc.http.headers import Headers
from adc.http.message import Request, Response
from adc.proxy.exchange import Exchange
from adc.proxy.pipeline import Pipeline
from adc.proxy.timeouts import Timeouts
from adc.proxy.upstream.passed import OURS, POOL, REFUSAL, REFUSED

CLUSTER = "(cluster)"
"""The name of the listener for other nodes, and of the pool that they make up."""

DATAGRAMS = "(datagrams)"
"""The name of the listener for datagrams of other nodes."""

HELLO = b"x-adc-hello"
PROOF = b"x-adc-proof"


def redirects(config: Config) -> bool:
    """True if requests of unknown clients are passed to the node that they belong to."""
    return config.cluster is not None and config.cluster.on_unknown == "redirect"


def listener_of(config: Config) -> list[Listener]:
    """Return the listeners for other nodes, if requests or datagrams are passed between nodes. The one for requests
    sends members the fields that any other listener would."""
    channel = (
        [Listener.model_construct(name=DATAGRAMS, bind=(), protocol="udp")] if config.passes_datagrams else []
    )
    if not redirects(config):
        return channel
    forwarded = any(listener.forwarded for listener in config.listeners)
    real_ip = any(listener.real_ip for listener in config.listeners)
    return [Listener.model_construct(name=CLUSTER, bind=(), forwarded=forwarded, real_ip=real_ip), *channel]


def finder(pipelines: Mapping[str, Pipeline[Exchange]]) -> Callable[[Request], Pipeline[Exchange]]:
    """Return the search of the listener for other nodes; `pipelines` by pool."""
    refusal = Pipeline(CLUSTER, _refuse, timeouts=Timeouts())
    greeting = Pipeline(CLUSTER, _reply, timeouts=Timeouts())

    def find(request: Request) -> Pipeline[Exchange]:
        if PROOF in request.proxy_fields:
            return greeting
        pool = request.headers.get(POOL) if request.passed_by else None
        found = None if pool is None else pipelines.get(pool.decode("latin-1"))
        request.headers.remove(*OURS)
        return refusal if found is None else found

    return find


def _refuse(exchange: Exchange) -> None:
    """Refuse a request that this node does not serve, with a reply that no application can imitate."""
    refusal = exchange.request.proxy_fields.get(REFUSAL)
    lines = [] if refusal is None else [(REFUSAL, refusal)]
    exchange.respond(Response(REFUSED, Headers(lines), b"", 0), b"", True)


def _reply(exchange: Exchange) -> None:
    exchange.reply_unlogged(Response(204, Headers([(PROOF, exchange.request.proxy_fields[PROOF])]), b"", 0))
