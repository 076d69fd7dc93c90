"""Variables of the request's head and of its connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from adc_plugins.waf.bodies.parsed import Pair
from adc_plugins.waf.collect import authorization, target
from adc_plugins.waf.collect.cookies import parse_cookies
from adc_plugins.waf.collect.exchange import Collection, Exchange, Scalar, names_of
from adc_plugins.waf.collect.moment import TIME_NAMES, time_variable


def request_line(exchange: Exchange) -> bytes:
    """Return the request line without its end."""
    facts = exchange.facts
    return b"%b %b %b" % (facts.method, facts.target, facts.protocol)


def request_cookies(exchange: Exchange) -> Sequence[Pair]:
    """Return the cookies of all `Cookie` headers."""
    values = [value for name, value in exchange.facts.headers if len(name) == 6 and name.lower() == b"cookie"]
    return parse_cookies(values) if values else ()


def server_name(exchange: Exchange) -> bytes:
    """Return the host of the `Host` header, without its port."""
    host = exchange.header(b"host")
    end = host.find(b"]") + 1
    return host[:end] if end else host.partition(b":")[0]


def _time(name: str, exchange: Exchange) -> bytes:
    return time_variable(name, exchange.facts.time)


def _filename(exchange: Exchange) -> bytes:
    return target.request_filename(exchange.facts.target)


SCALARS: Final[Mapping[str, Scalar]] = {
    "AUTH_TYPE": lambda exchange: authorization.scheme(exchange.header(b"authorization")),
    "PATH_INFO": _filename,
    "QUERY_STRING": lambda exchange: exchange.query,
    "REMOTE_ADDR": lambda exchange: exchange.facts.client_address,
    "REMOTE_HOST": lambda exchange: exchange.facts.client_address,
    "REMOTE_PORT": lambda exchange: b"%d" % exchange.facts.client_port,
    "REMOTE_USER": lambda exchange: authorization.basic_user(exchange.header(b"authorization")),
    "REQUEST_BASENAME": lambda exchange: target.basename(_filename(exchange)),
    "REQUEST_FILENAME": _filename,
    "REQUEST_LINE": request_line,
    "REQUEST_METHOD": lambda exchange: exchange.facts.method,
    "REQUEST_PROTOCOL": lambda exchange: exchange.facts.protocol,
    "REQUEST_URI": lambda exchange: target.request_uri(exchange.facts.target),
    "REQUEST_URI_RAW": lambda exchange: exchange.facts.target,
    "SERVER_ADDR": lambda exchange: exchange.facts.server_address,
    "SERVER_NAME": server_name,
    "SERVER_PORT": lambda exchange: b"%d" % exchange.facts.server_port,
    "UNIQUE_ID": lambda exchange: exchange.facts.unique_id,
    "USERAGENT_IP": lambda exchange: exchange.facts.client_address,
    **{name: partial(_time, name) for name in TIME_NAMES},
}

COLLECTIONS: Final[Mapping[str, Collection]] = {
    "ARGS_GET": lambda exchange: exchange.query_arguments,
    "ARGS_GET_NAMES": lambda exchange: names_of(exchange.query_arguments),
    "REQUEST_COOKIES": request_cookies,
    "REQUEST_HEADERS": lambda exchange: exchange.facts.headers,
    "REQUEST_HEADERS_NAMES": lambda exchange: names_of(exchange.facts.headers),
}
