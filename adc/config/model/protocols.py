"""The protocols that a listener can carry."""

from __future__ import annotations

PROTOCOLS: dict[str, str] = {"http": "adc.runtime.serve.http_listener:HttpListener"}
"""Name in the configuration -> `module:class` of the listener, imported when a configuration uses it."""
