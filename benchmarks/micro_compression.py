"""What each compression library costs and gains on 50 KB of varied HTML.

python -m benchmarks.micro_compression      CPU as a ratio to zlib at level 4, size as a share of the page
"""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable

import brotli
import zstandard
from isal import isal_zlib
from zlib_ng import zlib_ng

from benchmarks.origin import html_page

PAGES = 40
PIECE = 16 << 10
Compress = Callable[[bytes], bytes]


def whole(module: object, level: int) -> Compress:
    """A gzip body in one call of a module that has the interface of zlib."""
    return lambda page: module.compress(page, level, 31)  # type: ignore[attr-defined]


def in_pieces(module: object, level: int) -> Compress:
    """A gzip body by an encoder of its own, as nginx makes one."""

    def compress(page: bytes) -> bytes:
        encoder = module.compressobj(level, zlib.DEFLATED, 31)  # type: ignore[attr-defined]
        parts = [encoder.compress(page[at : at + PIECE]) for at in range(0, len(page), PIECE)]
        return b"".join([*parts, encoder.flush()])

    return compress


def brotli_whole(level: int, window: int, mode: int = brotli.MODE_GENERIC) -> Compress:
    return lambda page: brotli.compress(page, mode, level, window)


def brotli_in_pieces(level: int, window: int) -> Compress:
    def compress(page: bytes) -> bytes:
        encoder = brotli.Compressor(brotli.MODE_GENERIC, level, window)
        parts = [encoder.process(page[at : at + PIECE]) for at in range(0, len(page), PIECE)]
        return b"".join([*parts, encoder.finish()])

    return compress


def zstd_in_pieces(compressor: zstandard.ZstdCompressor) -> Compress:
    def compress(page: bytes) -> bytes:
        encoder = compressor.compressobj()
        parts = [encoder.compress(page[at : at + PIECE]) for at in range(0, len(page), PIECE)]
        return b"".join([*parts, encoder.flush()])

    return compress


def candidates() -> dict[str, Compress]:
    found: dict[str, Compress] = {}
    for level in (1, 4, 6):
        found[f"zlib {level} whole"] = whole(zlib, level)
        found[f"zlib {level} pieces"] = in_pieces(zlib, level)
    for level in (1, 2, 3, 4, 5, 6):
        found[f"zlib-ng {level} whole"] = whole(zlib_ng, level)
        found[f"zlib-ng {level} pieces"] = in_pieces(zlib_ng, level)
    for level in (0, 1, 2, 3):
        found[f"isal {level} whole"] = whole(isal_zlib, level)
        found[f"isal {level} pieces"] = in_pieces(isal_zlib, level)
    for level in (3, 4, 5, 6):
        for window in (16, 18, 19, 22):
            found[f"brotli {level} window {window} whole"] = brotli_whole(level, window)
            found[f"brotli {level} window {window} pieces"] = brotli_in_pieces(level, window)
    found["brotli 4 window 19 text"] = brotli_whole(4, 19, brotli.MODE_TEXT)
    for level in (1, 3, 6):
        compressor = zstandard.ZstdCompressor(level=level)
        found[f"zstd {level} whole"] = compressor.compress
        found[f"zstd {level} whole, new"] = lambda page, level=level: zstandard.ZstdCompressor(  # type: ignore[misc]
            level=level
        ).compress(page)
        found[f"zstd {level} pieces"] = zstd_in_pieces(compressor)
    return found


def cost(compress: Compress, pages: list[bytes]) -> tuple[float, float]:
    """CPU seconds a page, the best of five rounds, and compressed size as a share of the page's."""
    size = sum(len(compress(page)) for page in pages)
    best = float("inf")
    for _ in range(5):
        begin = time.process_time()
        for page in pages:
            compress(page)
        best = min(best, time.process_time() - begin)
    return best / len(pages), size / sum(map(len, pages))


def main() -> None:
    rng = random.Random(1)
    pages = [html_page(50 << 10, rng).encode() for _ in range(PAGES)]
    base, _ = cost(in_pieces(zlib, 4), pages)
    for name, compress in candidates().items():
        seconds, share = cost(compress, pages)
        print(f"{name:32} cpu x{seconds / base:5.2f}  {seconds * 1e6:7.0f} us  size {share:6.1%}")


if __name__ == "__main__":
    main()
