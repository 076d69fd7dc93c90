"""A caching worker in this process before a member that answers in turn."""

import contextlib
import time
from email.utils import formatdate

from tests.kit.client import get
from tests.kit.member import Member, response
from tests.kit.proxy import config, serving


class Cached:
    """One client of a caching proxy. `asked` are the requests that reached the member."""

    def __init__(self, proxy, client, member):
        self.proxy = proxy
        self.client = client
        self.asked = member.requests

    async def get(self, target="/", *fields, method="GET", **options):
        """The response to one request."""
        return await self.client.ask(get(target, *fields, method=method, **options), method)

    @property
    def store(self):
        return self.proxy.worker.caches.stores["site"]


@contextlib.asynccontextmanager
async def caching(
    folder, *replies, route=None, disk=True, store=None, script=None, listener=None, top=None, **cache
):
    """Serve with a cache; `cache` are keys of the route's, `top` those of the file. The member gives
    `replies` in turn, the last of them again and again; a function gets the request, None closes the connection.
    """

    async def answer(conversation):
        while True:
            request = await conversation.request()
            reply = replies[min(len(conversation.member.requests), len(replies)) - 1]
            reply = reply(request) if callable(reply) else reply
            if reply is None:
                return
            await conversation.send(reply)

    caches = {
        "site": {"memory": "8MB", **({"disk": {"path": str(folder / "c"), "size": "64MB"}} if disk else {})}
    }
    caches["site"] |= store or {}
    settings = {"cache": {"store": "site", **cache}, **(route or {})}
    async with Member(script or answer) as member:
        mapping = config(member.address, listener=listener, route=settings, caches=caches, **(top or {}))
        folder.mkdir(exist_ok=True)
        async with serving(folder / "run", mapping) as proxy, proxy.client() as client:
            yield Cached(proxy, client, member)


def told(message):
    """What Cache-Status says: a set of its parameters."""
    return set(message[b"cache-status"].decode().split(";")[1:])


def date(offset=0):
    """An HTTP-date `offset` seconds from now."""
    return formatdate(time.time() + offset, usegmt=True)


def numbered(*fields, status=200, body=b"body"):
    """Replies whose body tells how many came before."""
    count = 0

    def reply(request):
        nonlocal count
        count += 1
        return response(b"%b %d" % (body, count), *fields, status=status)

    return reply
