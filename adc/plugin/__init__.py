"""The interface of plugins. Plugins import this module and nothing else of adc.

`docs/howto/write-a-plugin.md` is the guide; `adc.plugin.testkit` runs a plugin's phases without a server.
"""

from adc.compression.beginning import Decoded, decode_beginning
from adc.compression.decoders import DecodeError, Decoder
from adc.compression.decoders import decoder as content_decoder
from adc.compression.eligibility import may_transform
from adc.http.client import Client
from adc.http.cookies import parse_cookies
from adc.http.headers import Headers
from adc.http.location_fields import LocationEdits, has_locations
from adc.http.media import parse_preferences
from adc.http.message import UNKNOWN_LENGTH, Request
from adc.http.message import Response as ResponseHead
from adc.http.networks import Networks, parse_address
from adc.http.patterns import BytesPattern, BytesReplacement, BytesRule, Pattern
from adc.http.query import parse_query
from adc.http.set_cookie import CookieAttributes, format_set_cookie
from adc.plugin.admission import Admission, Lease
from adc.plugin.base import NoOptions, Plugin
from adc.plugin.commands import CommandHost, ConfiguredPlugin, PluginConfiguration
from adc.plugin.context import Context
from adc.plugin.host import Host, LineWriter
from adc.plugin.http_client import HttpClient, HttpFailed, HttpReply, check_url
from adc.plugin.identity import IdentityFields, field_value
from adc.plugin.metrics import Counter, Gauge, KeyedCounter
from adc.plugin.option_model import ContentTypes, NetworkList, Options, Strings
from adc.plugin.options import OptionErrors, with_place
from adc.plugin.paths import FilePath
from adc.plugin.processes import JobFailed, PoolFull, Processes
from adc.plugin.response import Response
from adc.plugin.secret import Secret, SecretText
from adc.plugin.switch import Switch
from adc.plugin.table import NoClusterState, Scope, StateUnavailable, Table
from adc.plugin.units import Duration, Size
from adc.state.allowance import Allowance, Bucket, Grant, Window
from adc.state.interface import Count, Entry, EntryTooLargeError, Page
from adc.telemetry.record import LogRecord

__all__ = [
    "UNKNOWN_LENGTH",
    "Admission",
    "Allowance",
    "Bucket",
    "BytesPattern",
    "BytesReplacement",
    "BytesRule",
    "Client",
    "CommandHost",
    "ConfiguredPlugin",
    "ContentTypes",
    "Context",
    "CookieAttributes",
    "Count",
    "Counter",
    "DecodeError",
    "Decoded",
    "Decoder",
    "Duration",
    "Entry",
    "EntryTooLargeError",
    "FilePath",
    "Gauge",
    "Grant",
    "Headers",
    "Host",
    "HttpClient",
    "HttpFailed",
    "HttpReply",
    "IdentityFields",
    "JobFailed",
    "KeyedCounter",
    "Lease",
    "LineWriter",
    "LocationEdits",
    "LogRecord",
    "NetworkList",
    "Networks",
    "NoClusterState",
    "NoOptions",
    "OptionErrors",
    "Options",
    "Page",
    "Pattern",
    "Plugin",
    "PluginConfiguration",
    "PoolFull",
    "Processes",
    "Request",
    "Response",
    "ResponseHead",
    "Scope",
    "Secret",
    "SecretText",
    "Size",
    "StateUnavailable",
    "Strings",
    "Switch",
    "Table",
    "Window",
    "check_url",
    "content_decoder",
    "decode_beginning",
    "field_value",
    "format_set_cookie",
    "has_locations",
    "may_transform",
    "parse_address",
    "parse_cookies",
    "parse_preferences",
    "parse_query",
    "with_place",
]
