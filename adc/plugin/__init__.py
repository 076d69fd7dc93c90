"""The interface of plugins. Plugins import this module and nothing else of adc.

`docs/howto/write-a-plugin.md` is the guide; `adc.plugin.testkit` runs a plugin's phases without a server.
"""

from adc.compression.beginning import Decoded, decode_beginning
from adc.compression.decoders import DecodeError
from adc.compression.eligibility import may_transform
from adc.http.client import Client
from adc.http.headers import Headers
from adc.http.message import UNKNOWN_LENGTH, Request
from adc.http.message import Response as ResponseHead
from adc.plugin.base import NoOptions, Plugin
from adc.plugin.commands import CommandHost, ConfiguredPlugin, PluginConfiguration
from adc.plugin.context import Context
from adc.plugin.host import Host, LineWriter
from adc.plugin.http_client import HttpClient, HttpFailed, HttpReply, check_url
from adc.plugin.metrics import Counter, Gauge, KeyedCounter
from adc.plugin.option_model import ContentTypes, Options
from adc.plugin.options import OptionErrors
from adc.plugin.paths import FilePath
from adc.plugin.response import Response
from adc.plugin.table import NoClusterState, Scope, StateUnavailable, Table
from adc.plugin.units import Duration, Size
from adc.state.interface import Count, Entry, EntryTooLargeError, Page
from adc.telemetry.record import LogRecord

__all__ = [
    "UNKNOWN_LENGTH",
    "Client",
    "CommandHost",
    "ConfiguredPlugin",
    "ContentTypes",
    "Context",
    "Count",
    "Counter",
    "DecodeError",
    "Decoded",
    "Duration",
    "Entry",
    "EntryTooLargeError",
    "FilePath",
    "Gauge",
    "Headers",
    "Host",
    "HttpClient",
    "HttpFailed",
    "HttpReply",
    "KeyedCounter",
    "LineWriter",
    "LogRecord",
    "NoClusterState",
    "NoOptions",
    "OptionErrors",
    "Options",
    "Page",
    "Plugin",
    "PluginConfiguration",
    "Request",
    "Response",
    "ResponseHead",
    "Scope",
    "Size",
    "StateUnavailable",
    "Table",
    "check_url",
    "decode_beginning",
    "may_transform",
]
