"""Routes of the configuration as pipelines."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from adc.compression.options import CompressionOptions
from adc.config.model import actions, policies
from adc.config.model import routes as model
from adc.config.model.files import Files
from adc.http.headers import Headers, Pair
from adc.http.message import Request
from adc.http.networks import Networks
from adc.plugin.chain import Chain
from adc.pools.pool import Pool
from adc.proxy.caching.cache_stage import CacheStage
from adc.proxy.caching.store import SharedStore
from adc.proxy.caching.unsafe import CacheBypass
from adc.proxy.caching.variants import Variants
from adc.proxy.exchange import Exchange
from adc.proxy.files.action import ServeFiles
from adc.proxy.files.open_files import OpenFiles
from adc.proxy.pipeline import Action, Pipeline, ResponseStage, RouteCounters
from adc.proxy.plugins.stages import AskForWhole, RunPlugins
from adc.proxy.replies import Replies
from adc.proxy.stages.actions import Redirect, Respond, RespondPage, Split
from adc.proxy.stages.compress import AskForIdentity, Compress
from adc.proxy.stages.cut_range import CutRange
from adc.proxy.stages.edits import EditRequest, EditResponse, RewriteTarget
from adc.proxy.stages.intercept import Intercept
from adc.proxy.stages.locations import RestoreLocations
from adc.proxy.timeouts import Timeouts
from adc.proxy.upstream.passing import Peers
from adc.proxy.upstream.request import UpstreamRequest
from adc.proxy.upstream.stick import stick
from adc.routing.client_view import MemberOrigins
from adc.routing.edits import HeaderEdits, header_edits
from adc.routing.redirect import Redirect as Location
from adc.routing.rewrite import Rewrite
from adc.routing.settle import PathPolicy
from adc.routing.split import Split as Shares
from adc.runtime.assembly.cache_options import cache_options
from adc.runtime.assembly.error_pages import RoutePages
from adc.runtime.assembly.files import serve_files
from adc.runtime.assembly.forwards import ForwardBuilder, retry_policy
from adc.runtime.assembly.persistence import Sticky
from adc.runtime.errors import BuildError

TEXT = "text/plain; charset=utf-8"


class RouteBuilder:
    """Compiles routes against the pools of one configuration; members of `secure_pools` are reached by TLS."""

    def __init__(
        self,
        pools: Mapping[str, Pool],
        rng: Random,
        chains: Mapping[str, Chain],
        sticky: Mapping[str, Sticky],
        stores: Mapping[str, SharedStore],
        peers: Peers | None,
        pages: RoutePages,
        secure_pools: Collection[str] = (),
    ) -> None:
        self._rng = rng
        self._pools = pools
        self._secure_pools = secure_pools
        self._chains = chains
        self._sticky = sticky
        self._stores = stores
        self._pages = pages
        self._open_files = OpenFiles()
        self.cache_stages: dict[str, CacheStage] = {}
        self.forwards = ForwardBuilder(pools, sticky, rng, peers)

    def build(self, route: model.Route) -> Pipeline[Exchange]:
        """Return the pipeline of one route. Raises BuildError."""
        try:
            return self._build(route)
        except (ValueError, OSError) as error:
            raise BuildError(f"route {route.name}: {error}") from error

    def _build(self, route: model.Route) -> Pipeline[Exchange]:
        timeouts = Timeouts(
            route.timeouts.connect, route.timeouts.response_head, route.timeouts.idle, route.timeouts.total
        )
        action = self._action(route, timeouts)
        stages: list[ResponseStage[Exchange]] = []
        counters = RouteCounters()
        mirror = self.forwards.mirror(route, timeouts, action, counters)
        if mirror is not None:
            action = mirror
            stages.append(mirror.answered)
        start: Action[Exchange] = action
        edits, chain = _edits(route.request_headers), self._chains.get(route.name)
        if route.cache is not None and route.cache.store in self._stores:
            quick = edits is None and (chain is None or chain.empty)
            if chain is not None and chain.before_cache.transforming:
                action = AskForWhole(action)
            lookup = self._lookup(route, route.cache, action, quick)
            start = self.cache_stages[route.name] = lookup
            stages.append(CacheBypass(lookup))
        if edits is not None:
            start = EditRequest(edits, route.name, start)
        restore: RestoreLocations | None = None
        if route.rewrite != actions.Rewrite.defaults():
            rewrite, members = compile_rewrite(route.rewrite), self._members(route)
            if route.files is None and _restores(route.rewrite):
                restore = RestoreLocations(rewrite, members)
            start = RewriteTarget(rewrite, b"" if restore is None else members.scheme, start)
        if chain is not None and not chain.empty:
            start = RunPlugins(chain, start, restore, route.name in self.cache_stages)
            if chain.responses.transforming:
                stages.append(CutRange())
        elif restore is not None:
            stages.insert(0, restore)
        intercepted = self._pages.intercepted(route)
        if intercepted:
            stages.append(Intercept(self._pages.replies(route), intercepted))
        response_edits = _edits(route.response_headers)
        if response_edits is not None:
            stages.append(EditResponse(response_edits, route.name))
        compression = route.compression
        if compression is not None and not compression.breach_safe:
            start = AskForIdentity(start)
            stages.append(Compress(_compression(compression)))
        if any(self._sticks(pool) for pool in (route.pool, *(route.split or ()))):
            stages.append(stick)
        return Pipeline(
            route.name,
            start,
            timeouts=timeouts,
            response_stages=tuple(stages),
            body_limit=route.limits.body,
            counters=counters,
            upgrades=frozenset(protocol.lower().encode() for protocol in route.upgrades),
            paths=path_policy(route),
            replies=self._pages.replies(route) if route.error_pages else None,
        )

    def _sticks(self, pool: str | None) -> bool:
        """True if persistence learns from responses of `pool` or adds to them."""
        sticky = self._sticky.get(pool) if pool is not None else None
        return sticky is not None and sticky.persistence.marks_responses

    def _action(self, route: model.Route, timeouts: Timeouts) -> Action[UpstreamRequest]:
        if route.respond is not None:
            return _respond(route.respond, self._pages.replies(route))
        if route.redirect is not None:
            location = Location(route.redirect.to, route.redirect.status)
            return Redirect(location.status, location.location)
        if route.files is not None:
            return self._files(route, route.files)
        retries, retry = route.retries, retry_policy(route.retries)
        if route.pool is not None:
            return self.forwards.build(route.pool, timeouts, retries, retry)
        shares = Shares(
            [
                (self.forwards.build(name, timeouts, retries, retry), share)
                for name, share in (route.split or {}).items()
            ]
        )
        return Split(_by_chance(shares, self._rng.random))

    def _files(self, route: model.Route, files: Files) -> ServeFiles:
        chain = self._chains.get(route.name)
        quick = route.cache is None and (chain is None or chain.empty)
        rewritten = route.rewrite != actions.Rewrite.defaults()
        return serve_files(files, quick, rewritten, self._open_files, self._pages.replies(route))

    def _members(self, route: model.Route) -> MemberOrigins:
        """Return the names under which the members of `route` know themselves."""
        names = [route.pool] if route.pool is not None else list(route.split or ())
        members = [member.address for name in names for member in self._pools[name].members]
        secure = any(name in self._secure_pools for name in names)
        return MemberOrigins(members, route.rewrite.host, secure)

    def _lookup(
        self, route: model.Route, cache: policies.RouteCache, following: Action[UpstreamRequest], quick: bool
    ) -> CacheStage:
        store = self._stores[cache.store]
        purgers = Networks(str(network) for network in cache.purge.from_)
        compression = route.compression
        variants = None
        decodes = compression is not None and not compression.breach_safe
        if compression is not None and decodes and not route.plugins:
            variants = Variants(_compression(compression))
        options, suffix = (
            cache_options(cache, store, self._own_cookies(route)),
            _key_suffix(route, self._cached(route)),
        )
        return CacheStage(store, options, following, suffix, purgers, quick, variants, decodes)

    def _cached(self, route: model.Route) -> list[tuple[str, Any, str]]:
        """Return names, options and versions of the plugins whose results are stored."""
        chain = self._chains.get(route.name)
        uses = () if chain is None else zip(route.plugins, chain.uses, strict=True)
        return [
            (written.name, written.options, use.plugin.cache_version)
            for written, use in uses
            if use.plugin.cached
        ]

    def _own_cookies(self, route: model.Route) -> tuple[Callable[[Headers], None], ...]:
        """Return the functions that remove our part from a client's cookies on the way to the member.

        Nothing on a route that is split: one pool's members see the cookies of the others, and what a member sees must
        not be missing in a key.
        """
        sticky = None if route.pool is None else self._sticky.get(route.pool)
        if sticky is None or not sticky.persistence.marks_requests:
            return ()
        return (sticky.persistence.forward,)


def path_policy(route: model.Route) -> PathPolicy:
    """Return the policy of `route` for paths with several readings. Only paths that reach a member or
    files need guarding."""
    sends = route.pool is not None or route.split is not None or route.files is not None
    prefix = compile_rewrite(route.rewrite).stripped if route.rewrite.strip_prefix else ""
    return PathPolicy(route.name, route.normalize, sends and route.ambiguous_paths == "refuse", prefix)


def _key_suffix(route: model.Route, cached: Sequence[tuple[str, Any, str]] = ()) -> bytes:
    """Return the mark that sets the route apart from others of the same URL: conditions besides host and path, and the
    plugins whose results are stored."""
    further = route.match.model_dump(mode="json", exclude_defaults=True, exclude={"host", "path"})
    if not (further or route.listeners or cached):
        return b""
    text = json.dumps((further, route.listeners, *cached), sort_keys=True, default=_plain)
    return b"route=" + sha256(text.encode()).hexdigest()[:16].encode()


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


def _by_chance(
    shares: Shares[Action[UpstreamRequest]], random: Callable[[], float]
) -> Callable[[Request], Action[UpstreamRequest]]:
    return lambda request: shares.pick(random)


def _edits(edits: actions.HeaderEdits) -> HeaderEdits | None:
    replace = {
        name: [(each.regex, each.replace) for each in listed] for name, listed in edits.replace.items()
    }
    return header_edits(edits.set, edits.add, edits.remove, replace)


def _compression(compression: policies.Compression) -> CompressionOptions:
    return CompressionOptions(
        compression.encodings,
        compression.min_size,
        compression.content_types,
        dict(compression.levels),
    )


def compile_rewrite(rewrite: actions.Rewrite) -> Rewrite:
    """Return the path and host that a member sees instead. Raises ValueError."""
    return Rewrite(
        strip_prefix=rewrite.strip_prefix or "",
        add_prefix=rewrite.add_prefix or "",
        substitutions=[(edit.regex, edit.replace) for edit in rewrite.path],
        host=rewrite.host,
    )


def _restores(rewrite: actions.Rewrite) -> bool:
    """True if responses show the client its own paths and host."""
    if rewrite.locations is not None:
        return rewrite.locations
    return bool(rewrite.strip_prefix or rewrite.add_prefix or rewrite.host)


def _respond(respond: actions.Respond, replies: Replies) -> Action[UpstreamRequest]:
    """Return the action. An error for which nothing is said of its content has a page."""
    said = {"body", "file"} & respond.model_fields_set
    fields = [(name.encode(), value.encode()) for name, value in respond.headers.items()]
    if respond.status >= 400 and not said and not any(name.lower() == b"content-type" for name, _ in fields):
        return RespondPage(respond.status, fields, replies)
    body = Path(respond.file).read_bytes() if respond.file is not None else respond.body.encode()
    lines: list[Pair] = list(fields)
    if body and not any(name.lower() == b"content-type" for name, _ in lines):
        lines.append((b"Content-Type", TEXT.encode()))
    return Respond(respond.status, lines, body)
