"""How long the other node does not know a new client, and what share of its requests goes astray meanwhile.

    python -m tests.cluster.window [--clients N]

Each client asks one node, waits, and asks the other node. A row for each way of handling unknown clients and
each mode, a column for each wait.
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.cluster.nodes import two_nodes
from tests.cluster.visitor import Visitor
from tests.wire.service import until

MODES = ("cookie", "source", "header", "learned")
WAITS = (0, 25, 50, 75, 100, 150, 200, 300)
"""Milliseconds between the first request and the second one."""


async def measure(folder, unknown, clients):
    """The misrouted share by mode and wait."""
    shares = {}
    async with two_nodes(folder, unknown) as (_, nodes, _):
        for node in nodes:
            await until(node.in_step)
            await until(node.acquainted)
        ports = [node.port for node in nodes]
        number = 0
        for mode in MODES:
            for wait in WAITS:
                astray = 0
                for _ in range(clients):
                    number += 1
                    fields = [f"X-Forwarded-For: 10.{number >> 16}.{number >> 8 & 255}.{number & 255}"]
                    visitor = Visitor(ports, f"/{mode}/", [*fields, f"X-User: u{number}"])
                    visitor.ports = ports[:: 1 if number % 2 else -1]
                    await visitor.ask()
                    await asyncio.sleep(wait / 1000)
                    await visitor.ask()
                    astray += visitor.misrouted
                    visitor.close()
                shares[mode, wait] = astray / clients
    return shares


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clients", type=int, default=40, help="for each cell")
    clients = parser.parse_args().clients
    print(f"{'on_unknown':12}{'mode':9}" + "".join(f"{wait:>6} ms" for wait in WAITS))
    for unknown in ("accept", "redirect"):
        with tempfile.TemporaryDirectory() as folder:
            shares = asyncio.run(measure(Path(folder), unknown, clients))
        for mode in MODES:
            cells = "".join(f"{shares[mode, wait]:>8.0%} " for wait in WAITS)
            print(f"{unknown:12}{mode:9}{cells}")


if __name__ == "__main__":
    main()
