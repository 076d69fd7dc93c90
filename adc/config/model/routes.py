"""A route: its match, its action, and its policies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from adc.config.model.actions import HeaderEdits, Mirror, Redirect, Respond, Rewrite
from adc.config.model.base import Finding, Part, exactly_one
from adc.config.model.error_pages import ErrorStatus, Intercepted
from adc.config.model.files import Files
from adc.config.model.match import Match
from adc.config.model.policies import Compression, PluginUse, Retries, RouteCache, RouteLimits, RouteTimeouts
from adc.config.model.types import OFF, FilePath, Name, Names, Protocols, Text, one_of, whole
from adc.routing.settle import NORMALIZE

ACTIONS = ("pool", "split", "redirect", "respond", "files")

NEEDS_POOL = ("rewrite", "request_headers", "cache", "timeouts", "retries", "mirror", "upgrades")
"""Policies that need a member."""

OF_FILES = ("rewrite", "cache")
"""Those of `NEEDS_POOL` that files have a use for."""


class Route(Part):
    """The first route in file order whose `match` fits handles the request. Exactly one action is set."""

    name: Name = Field(
        "", description=("Name in logs and metrics; route-N by default, N is its position, counted from 1.")
    )
    listeners: Names = Field((), description="Listeners that use this route; all by default.")
    match: Match = Field(Match.defaults(), description="The conditions on a request; none by default.")
    normalize: Annotated[str, one_of(*NORMALIZE)] = Field(
        "match",
        description=(
            "Normalisation of paths. match: rules see the normalised path, members receive the path as sent; "
            "send: members receive the normalised path too; off: rules see the path as sent."
        ),
    )
    ambiguous_paths: Annotated[str, one_of("refuse", "pass")] = Field(
        "refuse",
        description=(
            "Reaction to a path that members could read in a way that leads to another route: refuse, with 400;"
            " or pass."
        ),
    )
    pool: Text | None = Field(None, description="Action: forward to this pool.")
    split: Mapping[Text, Annotated[int, whole(0, 1_000_000)]] | None = Field(
        None, description="Action: divide requests between pools by weight."
    )
    redirect: Redirect | None = Field(None, description="Action: redirect the client.")
    respond: Respond | None = Field(None, description="Action: respond without a member.")
    files: Files | None = Field(None, description="Action: respond with the files of a folder.")
    rewrite: Rewrite = Field(Rewrite.defaults(), description="Path and host for the member.")
    request_headers: HeaderEdits = Field(
        HeaderEdits.defaults(), description="Edits of the request for the member."
    )
    response_headers: HeaderEdits = Field(
        HeaderEdits.defaults(), description="Edits of the response for the client."
    )
    cache: Annotated[RouteCache | None, OFF] = Field(None, description="Caching of responses.")
    compression: Annotated[Compression | None, OFF] = Field(None, description="Compression of responses.")
    plugins: tuple[PluginUse, ...] = Field(
        (), description="Plugins, in the order in which requests run through them."
    )
    timeouts: RouteTimeouts = Field(RouteTimeouts.defaults(), description="Timeouts towards the member.")
    retries: Retries = Field(Retries.defaults(), description="Retries of failed attempts.")
    upgrades: Protocols = Field(
        ("websocket",),
        description=(
            "Protocols that a client may switch to by Upgrade: a name, or name/version; a name alone allows "
            "every version. Offers of other protocols are ignored."
        ),
    )
    error_pages: Mapping[ErrorStatus, FilePath] = Field(
        {},
        description="Error page templates of the route by status or class (5xx), before those of all routes.",
    )
    intercept: Intercepted = Field(
        False,
        description=(
            "Errors of the application whose content is replaced by the error page: true, those that error_pages "
            "names, here or for all routes; or a list of statuses and classes, such as [404, 5xx]. The status and "
            "the other fields stay."
        ),
    )
    limits: RouteLimits = Field(RouteLimits.defaults(), description="Size limits.")
    mirror: Mirror | None = Field(None, description="Copies of requests to another pool.")

    @classmethod
    def contradictions(cls, written: Mapping[str, Any]) -> Iterable[Finding]:
        yield from exactly_one(written, ACTIONS, "a route")
        split = written.get("split")
        if isinstance(split, dict) and not any(weight != 0 for weight in split.values()):
            yield ("split",), "a split needs at least one pool with a weight above 0"
        if "pool" not in written and "split" not in written and any(key in written for key in ACTIONS):
            for key in NEEDS_POOL:
                if key in written and not ("files" in written and key in OF_FILES):
                    yield (key,), f"{key} has no effect without pool or split"
