"""The protocols that a listener can carry."""

from __future__ import annotations

PROTOCOLS: dict[str, str] = {
    "http": "adc.runtime.serve.http_listener:HttpListener",
    "tcp": "adc.runtime.serve.tcp_listener:TcpListener",
    "udp": "adc.runtime.serve.udp_listener:UdpListener",
    "smtp": "adc.runtime.serve.smtp_listener:SmtpListener",
}
"""Name in the configuration -> `module:class` of the listener, imported when a configuration uses it."""

NEEDS_POOL = ("tcp", "udp")
"""Protocols whose listeners name their pool; the others have routes."""
