"""A listener that terminates TLS, and its clients."""

import contextlib

from tests.kit.authority import tls_client
from tests.kit.proxy import config, serving


@contextlib.asynccontextmanager
async def terminating(folder, member, pairs, tls=None, *, route=None, **listener):
    """Serve `member` under TLS with the certificates `pairs`; `tls` are further keys beside them."""
    settings = {"tls": {"certificates": pairs, **(tls or {})}, **listener}
    async with serving(folder, config(member.address, listener=settings, route=route)) as proxy:
        yield proxy


@contextlib.asynccontextmanager
async def client_of(proxy, context, name="a.test", **options):
    """A client of `proxy` that asks for the certificate of `name`."""
    client = await tls_client(proxy.port, context, name, **options)
    try:
        yield client
    finally:
        client.close()
