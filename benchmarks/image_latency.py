"""`python -m benchmarks.image_latency`: time of small proxied requests while adc converts large images.

`adc run` has one worker per processor. CLIENTS connections ask for a small file through it at a steady rate, first
alone, then while IMAGES clients ask at the same time for images of 12 megapixels in AVIF, each for another one. Exit
code 1 if the 99th percentile of the small requests exceeds MOST, or an image was not converted.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import uvloop
from PIL import Image, ImageFilter

from benchmarks.processes import answers, free_port

IMAGES = 20
CLIENTS = 4
PAUSE = 0.01
"""Seconds between two small requests of a connection."""
QUIET_SECONDS = 5.0
MOST = 0.020

CONFIG = """
listeners: [{{name: web, bind: 127.0.0.1:{web}}}]
routes:
  - match: {{path: /images/}}
    pool: app
    cache: true
    plugins: [{{image: {{formats: [avif, webp], max_width: 2048, quality: 80, wait: 25s}}}}]
  - {{pool: app}}
pools: {{app: {{members: [127.0.0.1:{origin}]}}}}
access_log: {{path: {folder}/access.log}}
error_log: {{path: {folder}/error.log}}
"""
ORIGIN = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/origin.log; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off; types {{ image/jpeg jpg; text/plain txt; }}
  client_body_temp_path {folder}/t; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t;
  uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
  server {{ listen 127.0.0.1:{origin}; root {folder}; rewrite ^/images/.*$ /photo.jpg break; }}
}}
"""


def photo() -> Image.Image:
    """Return an image of 12 megapixels with as much detail as a photo."""
    grain = Image.merge("RGB", [Image.effect_noise((4000, 3000), 60) for _ in range(3)])
    return grain.filter(ImageFilter.GaussianBlur(3))


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> tuple[bytes, int]:
    """Send a GET; return the head of the response, and the size of its content."""
    fields = "Host: www.example.com\r\nAccept: image/avif,image/webp,*/*;q=0.8\r\n"
    writer.write(f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    await reader.readexactly(size)
    return head, size


async def small_requests(port: int, times: list[float], over: Callable[[], bool]) -> None:
    """Ask for the small file until `over`, and note how long each response took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not over():
        began = time.perf_counter()
        head, _ = await ask(reader, writer, "/small.txt")
        times.append(time.perf_counter() - began)
        assert head.startswith(b"http/1.1 200"), head
        await asyncio.sleep(PAUSE)
    writer.close()


async def images(port: int, number: int, rounds: int) -> int:
    """Ask for images that nobody has asked for; return how many came in AVIF."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
    converted = 0
    for turn in range(rounds):
        head, _ = await ask(reader, writer, f"/images/{number}-{turn}.jpg")
        converted += b"content-type: image/avif" in head
    writer.close()
    return converted


def said(name: str, times: list[float]) -> float:
    """Print the percentiles of `times`; return the 99th."""
    ranked = sorted(times)
    of = {part: ranked[min(len(ranked) - 1, int(len(ranked) * part))] for part in (0.5, 0.9, 0.99, 0.999)}
    shown = "  ".join(f"p{part * 100:g} {seconds * 1000:6.2f} ms" for part, seconds in of.items())
    print(f"{name:28} {len(times):6} requests  {shown}  max {ranked[-1] * 1000:6.2f} ms", flush=True)
    return of[0.99]


async def measure(port: int, rounds: int) -> bool:
    """Print what small requests take without and with conversions; True if that is within the limit."""
    end = time.monotonic() + QUIET_SECONDS
    alone: list[float] = []
    await asyncio.gather(
        *(small_requests(port, alone, lambda: time.monotonic() > end) for _ in range(CLIENTS))
    )
    said("without conversions", alone)
    busy, began = True, time.monotonic()
    beside: list[float] = []
    small = [asyncio.create_task(small_requests(port, beside, lambda: not busy)) for _ in range(CLIENTS)]
    converted = sum(await asyncio.gather(*(images(port, number, rounds) for number in range(IMAGES))))
    busy = False
    await asyncio.gather(*small)
    took = time.monotonic() - began
    p99 = said(f"beside {IMAGES} conversions", beside)
    print(f"{converted} of {IMAGES * rounds} images of 12 megapixels converted in {took:.1f} s")
    return p99 <= MOST and converted == IMAGES * rounds


def main() -> int:
    """Start the origin and adc, measure, end both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="images for each of the clients")
    rounds: int = parser.parse_args().rounds
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if nginx is None:
        print("nginx, the origin, is not installed", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "small.txt").write_text("x" * 1000)
        photo().save(folder / "photo.jpg", quality=90)
        print(f"the image has {(folder / 'photo.jpg').stat().st_size / 1e6:.1f} MB")
        ports = {"web": free_port(), "origin": free_port(), "folder": folder}
        (folder / "adc.yaml").write_text(CONFIG.format(**ports))
        (folder / "nginx.conf").write_text(ORIGIN.format(**ports))
        folder.chmod(0o755)
        commands = (
            [nginx, "-c", str(folder / "nginx.conf"), "-e", str(folder / "origin.log")],
            [sys.executable, "-m", "adc", "run", str(folder / "adc.yaml")],
        )
        for command in commands:
            process = subprocess.Popen(command)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        end = time.monotonic() + 30
        while not answers(int(ports["web"]), b"/small.txt"):  # type: ignore[call-overload]
            if time.monotonic() > end:
                print("adc does not serve", file=sys.stderr)
                return 2
            time.sleep(0.1)
        return 0 if uvloop.run(measure(int(ports["web"]), rounds)) else 1  # type: ignore[call-overload]


if __name__ == "__main__":
    sys.exit(main())
