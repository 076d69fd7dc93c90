"""Chromium, as Debian has it, driven by playwright. Tests are skipped where either is missing."""

import shutil

import pytest
import pytest_asyncio

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

IN_CONTAINERS = ["--no-sandbox", "--disable-dev-shm-usage"]
"""Root and containers have neither the namespaces nor the memory that Chromium wants; it sees pages of tests only."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    """A browser for the tests of a module."""
    api = pytest.importorskip(
        "playwright.async_api", reason="playwright is not installed: pip install playwright"
    )
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install --no-install-recommends chromium")
    async with api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=IN_CONTAINERS)
        try:
            yield browser
        finally:
            await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser):
    """An empty page of a browser in English, without cookies of other tests."""
    context = await browser.new_context(locale="en-US", viewport={"width": 1000, "height": 480})
    try:
        yield await context.new_page()
    finally:
        await context.close()
