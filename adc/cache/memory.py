"""The memory tier: entries of one worker within a limit in bytes, evicted by S3-FIFO.

S3-FIFO (Yang et al., SOSP 2023) keeps a small queue that every new key enters, a main queue for keys requested again
while they were in the small one, and the names of keys that left the small queue unused. One-time keys, such as an
attacker's unique URLs, pass through a tenth of the space and evict nothing else. A hit moves nothing: it is a look-up
and a count.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Iterable, Iterator
from itertools import islice

from adc.cache.claims import Claims
from adc.cache.entry import Entry
from adc.cache.keys import url_of
from adc.cache.loans import Loans
from adc.cache.purge import Purge, Scope, finish

_SMALL_SHARE = 10
_MOST_HITS = 3
_LEAST_GHOSTS = 512
_SLICE = 1000
_MOST_SWEEPS = 16
_CLAIMED_SHARE = 2
_NARROW = (Scope.URL, Scope.REPLACED)


class _Node:
    """All entries of one key, oldest first, and the hits they had since last looked at."""

    __slots__ = ("entries", "hits", "key", "main", "size", "swept")

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.entries: tuple[Entry, ...] = ()
        self.size = 0
        self.hits = 0
        self.main = False
        self.swept = 0


class _Sweep:
    """A purge in progress: the keys still to be visited. Nodes whose `swept` is not below `number` are done."""

    __slots__ = ("count", "keys", "number", "purge")

    def __init__(self, number: int, purge: Purge, keys: Iterator[bytes]) -> None:
        self.number = number
        self.purge = purge
        self.keys = keys
        self.count = 0


class MemoryStore:
    """Entries by key. `capacity` and `max_object` are bytes; at most `max_variants` entries share a key.

    `claims` counts content being received and evicted content in `loans`: entries are evicted for it, as for stored
    content. `loans` are bodies that are being sent to clients.

    A large purge is a sweep, in slices; a look-up of a key that the sweep has not reached applies the purge first.
    """

    def __init__(self, capacity: int, max_object: int, max_variants: int = 32) -> None:
        self.capacity = capacity
        self.max_object = min(max_object, capacity)
        self.max_variants = max_variants
        self.size = 0
        self.evicted = 0
        self.claims = Claims(_CLAIMED_SHARE)
        self.loans = Loans(self.claims)
        self._small_size = 0
        self._sweeps: list[_Sweep] = []
        self._sweep_number = 0
        self._nodes: dict[bytes, _Node] = {}
        self._small: OrderedDict[bytes, _Node] = OrderedDict()
        self._main: OrderedDict[bytes, _Node] = OrderedDict()
        self._ghosts: OrderedDict[int, None] = OrderedDict()
        self._tagged: dict[bytes, set[bytes]] = {}
        self._longer: dict[bytes, set[bytes]] = {}

    def __len__(self) -> int:
        """Number of keys."""
        return len(self._nodes)

    def get(self, key: bytes) -> tuple[Entry, ...]:
        """Return the entries under `key`, oldest first, () if there are none."""
        if self._sweeps:
            self._overtake(key)
        node = self._nodes.get(key)
        if node is None:
            return ()
        if node.hits < _MOST_HITS:
            node.hits += 1
        return node.entries

    def put(self, entry: Entry) -> bool:
        """Store `entry`, whose body is bytes, in place of the entries that it supersedes; False if it is too large."""
        if entry.size > self.max_object:
            self.remove(entry)
            return False
        if self._sweeps:
            self._overtake(entry.key)
        node = self._nodes.get(entry.key)
        others = () if node is None else tuple(old for old in node.entries if not supersedes(entry, old))
        entries = (*others, entry)[-self.max_variants :]
        while sum(item.size for item in entries) > self.capacity:
            entries = entries[1:]
        if node is None:
            node = self._admit(entry.key)
        self._set_entries(node, entries)
        self._make_room()
        return True

    def claim(self, claimed: int, more: int) -> bool:
        """Count `more` bytes of content being collected, of which `claimed` were counted before, and evict entries for
        them. Return False if there is no room for them."""
        fits = self.claims.add(claimed, more, self.capacity)
        self._make_room()
        return fits

    def _make_room(self) -> None:
        while self._nodes and self.size + self.claims.total > self.capacity:
            self._evict()

    def remove(self, entry: Entry) -> None:
        """Drop what `entry` supersedes."""
        node = self._nodes.get(entry.key)
        if node is None:
            return
        rest = tuple(old for old in node.entries if not supersedes(entry, old))
        self._keep(node, rest)

    def purge(self, purge: Purge) -> int:
        """Drop, or mark if soft, every entry that `purge` covers. Returns how many."""
        return finish(self.purging(purge))

    def purging(self, purge: Purge) -> Generator[None, None, int]:
        """Yield the same in slices of a few milliseconds, a slice a step."""
        if purge.scope in _NARROW:
            return sum(self._purge_node(key, purge) for key in self._candidates(purge))
        sweep = self.begin(purge)
        while sweep in self._sweeps:
            self.step()
            yield
        return sweep.count

    def begin(self, purge: Purge) -> _Sweep:
        """Purge so that nothing covered is found any more; `step` does the work."""
        if len(self._sweeps) >= _MOST_SWEEPS:
            self._sweeps.clear()
            purge = Purge(Scope.ALL)
        self._sweep_number += 1
        sweep = _Sweep(self._sweep_number, purge, iter(self._candidates(purge)))
        self._sweeps.append(sweep)
        return sweep

    def catch_up(self, purge: Purge) -> None:
        """Complete a small purge, begin a sweep for a large one."""
        if purge.scope in _NARROW:
            self.purge(purge)
        else:
            self.begin(purge)

    def step(self) -> None:
        """Run a slice of the oldest purge in progress, if there is one."""
        if not self._sweeps:
            return
        sweep = self._sweeps[0]
        keys = list(islice(sweep.keys, _SLICE))
        for key in keys:
            self._sweep(key, sweep)
        if len(keys) < _SLICE:
            self._sweeps.remove(sweep)

    def _overtake(self, key: bytes) -> None:
        for sweep in self._sweeps:
            self._sweep(key, sweep)

    def _sweep(self, key: bytes, sweep: _Sweep) -> None:
        node = self._nodes.get(key)
        if node is not None and node.swept < sweep.number:
            node.swept = sweep.number
            sweep.count += self._purge_node(key, sweep.purge)

    def _purge_node(self, key: bytes, purge: Purge) -> int:
        node = self._nodes.get(key)
        if node is None:
            return 0
        covered = [entry for entry in node.entries if purge.covers(entry.key, entry.tags)]
        if purge.soft:
            for entry in covered:
                entry.invalid = True
        elif covered:
            self._keep(node, tuple(entry for entry in node.entries if entry not in covered))
        return len(covered)

    def _candidates(self, purge: Purge) -> list[bytes]:
        """Keys to look at: by index for a URL, a key or a tag; all of them for a prefix."""
        if purge.scope in _NARROW:
            return [purge.target, *self._longer.get(purge.target, ())]
        keys: Iterable[bytes] = self._nodes
        if purge.scope is Scope.TAG:
            keys = self._tagged.get(purge.target, ())
        return list(keys)

    def _admit(self, key: bytes) -> _Node:
        node = self._nodes[key] = _Node(key)
        node.swept = self._sweep_number
        node.main = hash(key) in self._ghosts
        if node.main:
            del self._ghosts[hash(key)]
            self._main[key] = node
        else:
            self._small[key] = node
        url = url_of(key)
        if url != key:
            self._longer.setdefault(url, set()).add(key)
        return node

    def _keep(self, node: _Node, entries: tuple[Entry, ...]) -> None:
        if entries:
            self._set_entries(node, entries)
        else:
            self._forget(node)

    def _set_entries(self, node: _Node, entries: tuple[Entry, ...]) -> None:
        if self.loans:
            self.loans.dropped(node.entries, entries)
        self._untag(node)
        self._count(node, sum(entry.size for entry in entries))
        node.entries = entries
        for entry in entries:
            for tag in entry.tags:
                self._tagged.setdefault(tag, set()).add(node.key)

    def _count(self, node: _Node, size: int) -> None:
        self.size += size - node.size
        if not node.main:
            self._small_size += size - node.size
        node.size = size

    def _untag(self, node: _Node) -> None:
        for entry in node.entries:
            for tag in entry.tags:
                _discard(self._tagged, tag, node.key)

    def _forget(self, node: _Node) -> None:
        if self.loans:
            self.loans.dropped(node.entries, ())
        self._untag(node)
        self._count(node, 0)
        (self._main if node.main else self._small).pop(node.key)
        del self._nodes[node.key]
        _discard(self._longer, url_of(node.key), node.key)

    def _evict(self) -> None:
        """Take one step of eviction: drop a node, or move one that was requested again."""
        if self._small and (self._small_size * _SMALL_SHARE > self.capacity or not self._main):
            node = next(iter(self._small.values()))
            if node.hits > 1:
                self._promote(node)
            else:
                self._forget(node)
                self._remember(node.key)
                self.evicted += 1
            return
        node = next(iter(self._main.values()))
        if node.hits:
            node.hits -= 1
            self._main.move_to_end(node.key)
        else:
            self._forget(node)
            self.evicted += 1

    def _promote(self, node: _Node) -> None:
        del self._small[node.key]
        self._small_size -= node.size
        node.main, node.hits = True, 0
        self._main[node.key] = node

    def _remember(self, key: bytes) -> None:
        self._ghosts[hash(key)] = None
        if len(self._ghosts) > max(_LEAST_GHOSTS, len(self._nodes)):
            self._ghosts.popitem(last=False)


def supersedes(entry: Entry, old: Entry) -> bool:
    """True if `entry` replaces `old`: same key, chosen by the same values, complete or the same
    part.
    """
    return (
        old.key == entry.key
        and old.varying == entry.varying
        and (entry.part is None or old.part == entry.part)
    )


def _discard(index: dict[bytes, set[bytes]], name: bytes, key: bytes) -> None:
    keys = index.get(name)
    if keys is not None:
        keys.discard(key)
        if not keys:
            del index[name]
