"""Certificates for tests, and clients that speak TLS."""

import asyncio
import socket
import ssl

import trustme

from tests.kit.client import Client
from tests.kit.waiting import within


class Authority:
    """A certificate authority of the test's own; its files are in `folder`."""

    def __init__(self, folder, name="ca"):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.ca = trustme.CA()
        self.file = str(folder / f"{name}.pem")
        self.ca.cert_pem.write_to_path(self.file)

    def issue(self, *names, file="", **options):
        """A certificate for `names` as the configuration has it: paths of chain and key."""
        return self.write(self.ca.issue_cert(*names, **options), file or names[0].replace("*", "any"))

    def write(self, issued, file):
        chain, key = self.folder / f"{file}.crt", self.folder / f"{file}.key"
        chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(str(key))
        return {"certificate": str(chain), "key": str(key)}

    def context(self, pair=None, **options):
        """A client's context that trusts this authority and shows `pair`."""
        context = ssl.create_default_context(cafile=self.file)
        for name, value in options.items():
            setattr(context, name, value)
        if pair:
            context.load_cert_chain(pair["certificate"], pair["key"])
        return context


async def tls_client(port, context, name="a.test", *, before=b""):
    """A client after its TLS handshake; `before` is sent in front of it, "" is no server name."""
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setblocking(False)
    await loop.sock_connect(sock, ("127.0.0.1", port))
    await loop.sock_sendall(sock, before)
    opening = asyncio.open_connection(sock=sock, ssl=context, server_hostname=name or "127.0.0.1")
    return Client(*await within(opening))
