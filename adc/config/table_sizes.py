"""Tables that the file of the local store cannot hold."""

from __future__ import annotations

from collections.abc import Iterator

from adc.config.errors import Path
from adc.config.model.config import Config
from adc.config.model.pools import Pool
from adc.config.units import quote
from adc.state.sizing import SMALLEST_SIZE, bytes_for

Finding = tuple[Path, str]


def oversized_tables(config: Config) -> Iterator[Finding]:
    """Yield the place of the size to change, if all tables together need more than `state.size`."""
    if config.state.backend == "memory":
        return
    sizes = {name: found for name, pool in config.pools.items() if (found := _size(pool)) is not None}
    if not sizes:
        return
    entries = sum(size for _, size in sizes.values())
    need, size = bytes_for(entries), max(config.state.size, SMALLEST_SIZE)
    if need <= size:
        return
    largest = max(sizes, key=lambda name: sizes[name][1])
    at: Path = ("state", "size")
    if "size" not in config.state.model_fields_set:
        at = ("pools", largest, "persistence", sizes[largest][0], "size")
    yield (
        at,
        (
            f"the tables of {len(sizes)} pools hold {entries} entries (pool {quote(largest)} {sizes[largest][1]}), "
            f"which take about {_megabytes(need)}, but state.size is {_megabytes(size)}: the least recently used "
            f"clients lose their members early; write state.size: {_megabytes(need)}, or lower the tables' size"
        ),
    )


def _size(pool: Pool) -> tuple[str, int] | None:
    """Return the pool's mode and the size of its table, None if it has none."""
    if pool.persistence is None:
        return None
    mode, settings = pool.persistence.mode
    return None if getattr(settings, "mode", "") == "insert" else (mode, settings.size)


def _megabytes(size: int) -> str:
    return f"{(size + (1 << 20) - 1) >> 20}MB"
