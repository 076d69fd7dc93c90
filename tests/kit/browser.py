"""A browser without pages: cookies of one site, and redirects on request."""

from urllib.parse import urljoin, urlsplit

from tests.kit.client import Client, get

NAVIGATION = ("Accept: text/html,*/*", "Sec-Fetch-Mode: navigate")


class Browser:
    """`cookies` are those of `port`; other ports are other sites. `visited` has the URL of each request."""

    def __init__(self, port):
        self.port = port
        self.cookies = {}
        self.attributes = {}
        self.visited = []

    async def get(self, url, *fields, navigates=True, method="GET"):
        """The response to one request; its cookies are kept."""
        url = urljoin(f"http://127.0.0.1:{self.port}/", url)
        self.visited.append(url)
        parts = urlsplit(url)
        own = parts.port == self.port
        lines = [*(NAVIGATION if navigates else ()), *fields]
        if own and self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        client = await Client.connect(parts.port)
        try:
            reply = await client.ask(get(target, *lines, host=parts.netloc, method=method), method)
        finally:
            client.close()
        if own:
            self._keep(reply)
        return reply

    async def follow(self, url, *fields):
        """The response after all redirects."""
        reply = await self.get(url, *fields)
        for _ in range(8):
            if reply.status not in (301, 302, 303, 307):
                return reply
            reply = await self.get(urljoin(self.visited[-1], reply[b"location"].decode()))
        raise AssertionError(f"too many redirects: {self.visited}")

    def _keep(self, reply):
        for line in reply.all(b"set-cookie"):
            pair, _, attributes = line.decode("latin-1").partition(";")
            name, _, value = pair.partition("=")
            self.attributes[name] = attributes
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
