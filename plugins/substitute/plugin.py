"""Texts of responses, such as host names of the inside, replaced by others."""

from __future__ import annotations

from adc_plugins.substitute.options import SubstituteOptions
from adc_plugins.substitute.plan import Plan

from adc.plugin import Context, Host, Plugin, may_transform


class Substitute(Plugin[SubstituteOptions]):
    """Replaces texts and matches of regular expressions in responses while they stream."""

    transforms = True

    def __init__(self, options: SubstituteOptions) -> None:
        super().__init__(options)
        self._plan = Plan(options.rules, options.window)
        self._covers = options.content_types.covers

    async def start(self, host: Host) -> None:
        self._replaced = host.counter("replaced", "Matches replaced.")

    def response_head(self, context: Context) -> None:
        """Choose the responses to change."""
        assert context.response is not None
        headers = context.response.headers
        content_type = headers.get(b"content-type")
        if content_type is None or not self._covers(content_type) or not may_transform(headers):
            context.skip_response_body()
            return
        context.state["stream"] = self._plan.stream(context, content_type, self._replaced.add)

    def response_body(self, context: Context, data: bytes, end: bool) -> bytes:
        """Send on what is decided."""
        made: bytes = context.state["stream"].feed(data, end)
        return made
