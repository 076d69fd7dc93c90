"""Real networks for tests: namespaces, cables, routes and captures (`adc/cli/lab/`), for root only.

    @netns.required
    def test_expired_flow_is_reset_at_both_ends():
        with netns.one_device() as net, netns.capture(net.client) as near, netns.capture(net["m1"]) as far:
            server = net["m1"].call(socket.create_server, (net.address("m1"), 5432))
            adc = net.adc.start([...])
            client = net.client.connect(net.address("adc"), 15432)
            near.wait(lambda packet: packet.has("R") and not packet.outgoing)
            far.wait(lambda packet: packet.has("R") and not packet.outgoing)

A socket made inside stays inside: `net.client.socket()` may be used in any thread and loop. What dials for itself,
such as an `adc run`, is a process (`start`) or a function (`call`) inside; `net.adc.call(asyncio.run, main())` loops.
"""

import pytest

from adc.cli.lab.capture import capture
from adc.cli.lab.topology import SERVICE, STORE, one_device, two_devices, why_not

__all__ = ["SERVICE", "STORE", "capture", "one_device", "required", "two_devices"]

required = pytest.mark.skipif(why_not() is not None, reason=f"{why_not()}")
