"""The proxies measured, one a file: configuration text and the commands that start it."""

from __future__ import annotations

from benchmarks.peers import (
    adc,
    apache,
    caddy,
    haproxy,
    haproxy_tcp,
    nginx,
    nginx_mail,
    nginx_stream,
    plain_aiohttp,
    varnish,
)
from benchmarks.peers.peer import Peer

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        nginx.PEER,
        haproxy.PEER,
        caddy.PEER,
        apache.PEER,
        plain_aiohttp.PEER,
        varnish.PEER,
        nginx_stream.PEER,
        nginx_mail.PEER,
        haproxy_tcp.PEER,
        adc.PEER,
    )
}
