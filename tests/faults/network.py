"""A network of its own for one member: a namespace with a pair of interfaces, whose packets can be dropped."""

import asyncio
import contextlib
import os


class Namespace:
    """Made and removed with `ip`; needs root."""

    def __init__(self, number):
        self.name = f"adc-fault-{os.getpid()}"
        self.near, self.far = f"adcf{number}a", f"adcf{number}b"
        self.host_near, self.host_far = f"10.213.{number}.1", f"10.213.{number}.2"

    async def make(self):
        inside = ("ip", "netns", "exec", self.name)
        await _run("ip", "netns", "add", self.name)
        await _run("ip", "link", "add", self.near, "type", "veth", "peer", "name", self.far)
        await _run("ip", "link", "set", self.far, "netns", self.name)
        await _run("ip", "addr", "add", f"{self.host_near}/30", "dev", self.near)
        await _run("ip", "link", "set", self.near, "up")
        await _run(*inside, "ip", "addr", "add", f"{self.host_far}/30", "dev", self.far)
        await _run(*inside, "ip", "link", "set", self.far, "up")
        await _run(*inside, "ip", "link", "set", "lo", "up")

    async def drop(self):
        """From now on every packet that arrives inside is dropped without a word."""
        inside = ("ip", "netns", "exec", self.name, "nft")
        await _run(*inside, "add", "table", "inet", "fault")
        chain = "{ type filter hook input priority 0 ; policy drop ; }"
        await _run(*inside, "add", "chain", "inet", "fault", "input", chain)

    async def remove(self):
        await _run("ip", "netns", "del", self.name)


@contextlib.asynccontextmanager
async def namespace():
    """A namespace, and the address of a member in it."""
    net = Namespace(os.getpid() % 250)
    try:
        await net.make()
        yield net, net.host_far
    finally:
        await net.remove()


async def _run(*command):
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait():
        raise RuntimeError(f"{' '.join(command)} failed")
