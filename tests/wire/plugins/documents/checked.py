"""The example configuration in front of a member of a test."""

import contextlib

import yaml

from tests.kit.proxy import serving
from tests.wire.service import ROOT


@contextlib.asynccontextmanager
async def example(member, folder, name="validation"):
    """Serve config/NAME.yaml; its schemas are those beside it."""
    text = (ROOT / "config" / f"{name}.yaml").read_text()
    mapping = yaml.safe_load(text.replace(" on: ", " 'on': "))  # a boolean to this loader
    mapping["pools"] = {"app": {"members": [member.address]}}
    mapping["listeners"] = [{"name": "web", "bind": "127.0.0.1:0"}]
    (folder / "schemas").symlink_to(ROOT / "config" / "schemas")
    async with serving(folder, mapping) as proxy:
        yield proxy


async def asked(proxy, data):
    """Return the response to `data` on a connection of its own."""
    async with proxy.client() as client:
        return await client.ask(data)
