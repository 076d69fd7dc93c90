"""Tells which worker has served a request."""

import os

from adc.plugin import Context, NoOptions, Plugin


class ServedBy(Plugin[NoOptions]):
    def response_head(self, context: Context) -> None:
        assert context.response is not None
        context.response.headers.set(b"X-Worker", b"%d" % os.getpid())
