"""The listener for other nodes of the cluster."""

from __future__ import annotations

from adc.config import Config
from adc.config.model.listeners import Listener
from adc.http.networks import Networks
from adc.runtime.assembly.identity import Identify, trusted_proxies
from adc.runtime.assembly.runtime import Runtime
from adc.runtime.serve.http_listener import HttpListener
from adc.runtime.serve.listener import ListenerContext
from adc.runtime.serve.logs import Logs

_NO_LIMIT = 1 << 50


class ClusterListener(HttpListener):
    """Serves what other nodes pass on. They have enforced the limits of the client's listener."""

    def __init__(self, name: str, context: ListenerContext, runtime: Runtime, logs: Logs) -> None:
        super().__init__(name, context, runtime, logs)
        self._identify = context.cluster.identify

    def configure(self, runtime: Runtime, settings: Listener, logs: Logs) -> None:
        super().configure(runtime, settings, logs)
        networks = [trusted_proxies(runtime.config, each) for each in runtime.config.listeners]
        self.service.forwarding.trusts = lambda peer: any(each.contains(peer) for each in networks)
        self.service.body_limit = _NO_LIMIT

    def identification(self, config: Config, listener: Listener, trusted: Networks) -> Identify | None:
        return self._identify
