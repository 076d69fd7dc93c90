"""What a plugin is made of. Plugins import this module and nothing else of adc.

`docs/howto/write-a-plugin.md` is the guide; `adc.plugin.testkit` runs a plugin's phases without a server.
"""

from adc.http.headers import Headers
from adc.http.message import UNKNOWN_LENGTH, Request
from adc.http.message import Response as ResponseHead
from adc.plugin.base import NoOptions, Plugin
from adc.plugin.context import Context
from adc.plugin.response import Response
from adc.plugin.units import Duration, Size
from adc.telemetry.record import LogRecord

__all__ = [
    "UNKNOWN_LENGTH",
    "Context",
    "Duration",
    "Headers",
    "LogRecord",
    "NoOptions",
    "Plugin",
    "Request",
    "Response",
    "ResponseHead",
    "Size",
]
