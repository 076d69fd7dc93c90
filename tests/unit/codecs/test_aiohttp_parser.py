"""aiohttp's parser without the rest of aiohttp."""

import subprocess
import sys
import textwrap


def printed(code):
    """Return the words that `code` prints in a process of its own."""
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()


def test_serving_imports_neither_aiohttps_client_nor_rarely_needed_modules():
    loaded = printed("""
        import sys, adc.control.start
        from adc.runtime.preload import preload
        preload()
        print(*sys.modules)
    """)
    assert "aiohttp.http_parser" in loaded
    unused = {
        "aiohttp.client",
        "aiohttp.web",
        "redis",
        "cryptography.x509",
        "prometheus_client",
        "acme",
        "rich",
    }
    assert not unused & set(loaded)


def test_aiohttp_is_complete_for_whoever_asks_for_more():
    assert printed("""
        import adc.codecs.aiohttp_parser, sys
        from aiohttp import web
        print("aiohttp.client" in sys.modules)
        import aiohttp
        print(aiohttp.__version__ == __import__("importlib.metadata").metadata.version("aiohttp"))
        from aiohttp import ClientSession, ClientTimeout
        print(aiohttp.ClientSession is ClientSession, aiohttp.web is web, hasattr(aiohttp, "nothing"))
    """) == ["False", "True", "True", "True", "False"]
