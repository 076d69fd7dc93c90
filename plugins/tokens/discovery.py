"""The metadata of a provider (OpenID Connect Discovery 1.0, RFC 8414)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from adc.plugin import HttpClient, HttpFailed, check_url

_ACCEPT = [(b"Accept", b"application/json")]


class ProviderFailed(Exception):
    """The provider did not say what was asked; the text has no secret."""


async def fetch_json(client: HttpClient, url: str) -> Mapping[str, Any]:
    """Return the JSON object at `url`. Raises ProviderFailed."""
    return json_object(await fetch(client, url), url)


async def fetch(client: HttpClient, url: str) -> bytes:
    """Return the content at `url`. Raises ProviderFailed."""
    try:
        reply = await client.request("GET", url, _ACCEPT)
    except (HttpFailed, ValueError) as error:
        raise ProviderFailed(str(error)) from None
    if reply.status != 200:
        raise ProviderFailed(f"{_place(url)} responded with {reply.status}")
    return reply.content


def json_object(content: bytes, url: str) -> Mapping[str, Any]:
    """Return the JSON object in `content`. Raises ProviderFailed."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ProviderFailed(f"{_place(url)} responded with something else than a JSON object")
    return document


async def discover(client: HttpClient, issuer: str) -> Mapping[str, Any]:
    """Return the metadata of a provider, which must name the same issuer. Raises ProviderFailed."""
    document = await fetch_json(client, issuer.rstrip("/") + "/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        raise ProviderFailed(
            f"the provider names another issuer than {issuer}; write it exactly as the provider does"
        )
    return document


def endpoint(document: Mapping[str, Any], name: str, issuer: str) -> str:
    """Return a URL of the metadata, of https if the issuer is. Raises ProviderFailed."""
    url = document.get(name)
    try:
        if not isinstance(url, str):
            raise ValueError("is missing")
        check_url(url)
    except ValueError:
        raise ProviderFailed(f"the metadata of {issuer} has no usable {name}") from None
    if issuer.startswith("https:") and not url.startswith("https:"):
        raise ProviderFailed(f"{name} of {issuer} is not of https")
    return url


def _place(url: str) -> str:
    return url.partition("?")[0]
