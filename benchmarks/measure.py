"""Run a row: start its contenders, let them take turns, take the medians."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Protocol

from benchmarks.figures import Figures, medians, ratio
from benchmarks.loads.outcome import LoadError
from benchmarks.origin import Origin
from benchmarks.peers import PEERS
from benchmarks.processes import StartError
from benchmarks.proof import check_hits, prove
from benchmarks.rows import Contender, Row
from benchmarks.running import Running, start
from benchmarks.site import Certificate

Say = Callable[[str], None]


class Comparison(Protocol):
    """What a row of the report is about; `base` is the label of the contender that ratios are taken to."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def primary(self) -> str: ...

    @property
    def base(self) -> str: ...


@dataclass
class Result:
    """The rounds of each contender; `skipped` says why a contender has none."""

    row: Comparison
    rounds: dict[str, list[Figures]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, Figures]:
        """The medians of each contender."""
        return {label: medians(rounds) for label, rounds in self.rounds.items()}

    def ratio(self, label: str) -> float | None:
        """Return the ratio of the primary figure of `label` to that of the row's base."""
        return ratio(self.rounds[label], self.rounds.get(self.row.base, []), self.row.primary)

    def skip(self, label: str, why: str) -> None:
        """Leave `label` out, with the rounds it had."""
        self.skipped[label] = why
        self.rounds.pop(label, None)


def turns(labels: Iterable[str], rounds: int) -> list[list[str]]:
    """The order of each round: everyone once, each round beginning with the next one."""
    order = list(labels)
    return (
        [order[shift % len(order) :] + order[: shift % len(order)] for shift in range(rounds)]
        if order
        else []
    )


class Bench:
    """What all rows share: the origin, the certificate and a folder that peers' own folders are made in."""

    def __init__(self, folder: Path, origin: Origin, certificate: Certificate, say: Say) -> None:
        self._folder = folder
        self._origin = origin
        self._certificate = certificate
        self._say = say
        self._numbers = count()

    def run(self, row: Row, labels: Iterable[str], seconds: int, rounds: int) -> Result:
        """Measure the contenders of `row` that are in `labels`. Peers that fail are reported, not raised."""
        result = Result(row)
        rounds = min(rounds, row.most_rounds)
        labels = [
            label for label in row.contenders if label in set(labels) and self._installed(row, label, result)
        ]
        with ExitStack() as stack:
            running = {} if row.load.fresh else self._start_all(row, labels, result, stack)
            for number, turn in enumerate(turns(labels, rounds), 1):
                for label in turn:
                    if label not in result.skipped:
                        self._say(f"{row.name}: round {number} of {rounds}, {label}")
                        self._measure(row, label, running.get(label), seconds, result)
        return result

    def _installed(self, row: Row, label: str, result: Result) -> bool:
        peer = PEERS[row.contenders[label].peer]
        if peer.missing():
            result.skip(label, f"{', '.join(peer.missing())} not installed: {peer.install}")
        return label not in result.skipped

    def _start_all(self, row: Row, labels: list[str], result: Result, stack: ExitStack) -> dict[str, Running]:
        running = {}
        for label in labels:
            try:
                peer = self._start(row, row.contenders[label])
                stack.callback(peer.processes.stop)
                row.load.warm_up(peer)
                prove(peer, self._origin)
                running[label] = peer
            except (StartError, LoadError, OSError) as error:
                result.skip(label, str(error))
        return running

    def _start(self, row: Row, contender: Contender) -> Running:
        folder = self._folder / f"{row.name}-{next(self._numbers)}-{contender.peer}"
        port = self._origin.ports[row.origin]
        return start(PEERS[contender.peer], contender.features, port, self._certificate, folder)

    def _measure(self, row: Row, label: str, running: Running | None, seconds: int, result: Result) -> None:
        try:
            asked = self._origin.requests()
            if running is not None:
                figures = row.load.measure(running, seconds)
            else:
                figures = self._measure_fresh(row, label, seconds)
            if row.contenders[label].features.cache:
                check_hits(figures, self._origin.requests() - asked, seconds)
        except (StartError, LoadError, OSError) as error:
            result.skip(label, str(error))
        else:
            result.rounds.setdefault(label, []).append(figures)

    def _measure_fresh(self, row: Row, label: str, seconds: int) -> Figures:
        peer = self._start(row, row.contenders[label])
        try:
            row.load.warm_up(peer)
            return row.load.measure(peer, seconds)
        finally:
            peer.processes.stop()
