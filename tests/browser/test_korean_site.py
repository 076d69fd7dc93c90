"""A site in EUC-KR behind adc, as Chromium shows it: pages, style sheet, script, forms."""

import contextlib
import os
from pathlib import Path

import pytest

from tests.kit.korean_site import POSTS, board
from tests.kit.proxy import config, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
CHARSET = {"charset": {"to": "utf-8", "requests": "euc-kr"}}
BESIDE = """<style>body {{ margin: 0; display: flex; font: 15px sans-serif }} div {{ flex: 1; padding: 6px }}
iframe {{ width: 100%; height: 420px; border: 1px solid #888 }}</style>
<div>In EUC-KR, read as UTF-8<iframe src="{without}"></iframe></div>
<div>Behind adc<iframe src="{behind}"></iframe></div>"""


@contextlib.asynccontextmanager
async def visited(folder, *plugins):
    """The site, and its address behind adc."""
    with board() as site:
        member = f"127.0.0.1:{site.server_port}"
        async with serving(folder, config(member, route={"plugins": list(plugins)})) as proxy:
            yield site, f"http://127.0.0.1:{proxy.port}/board"


async def test_pages_are_shown_in_their_letters(tmp_path, page):
    async with visited(tmp_path, CHARSET) as (_, address):
        await page.goto(f"{address}/list.jsp")
        assert await page.evaluate("document.characterSet") == "UTF-8"
        assert await page.title() == "한글 게시판"
        cells = await page.locator("td:nth-child(2)").all_inner_texts()
        assert cells == [title for title, _ in POSTS]
        assert await page.locator("#notice").inner_text() == "공지: 펲시콜라 똠방각하"
        family = await page.evaluate("getComputedStyle(document.body).fontFamily")
        assert family.startswith("나눔고딕")


async def test_form_makes_the_round_trip(tmp_path, page):
    async with visited(tmp_path, CHARSET) as (site, address):
        await page.goto(f"{address}/write.jsp")
        await page.fill("[name=title]", "똠방각하 – 새 글")
        await page.fill("[name=writer]", "박영수")
        await page.fill("[name=text]", "첫 줄\n둘째 줄 + & = %")
        await page.click("[type=submit]")
        assert await page.locator("#text").inner_text() == "첫 줄\n둘째 줄 + & = %"
        await page.goto(f"{address}/list.jsp")
        assert "똠방각하 &#8211; 새 글" in await page.locator("table").inner_text()
        await page.fill("[name=q]", "똠방각하")
        await page.click("[type=submit]")
        assert await page.locator("#query").inner_text() == "똠방각하"
        assert await page.locator("li").count() == 2
    assert site.forms[0]["writer"] == "박영수"
    assert site.forms[0]["_charset_"] == "euc-kr"


async def test_upload_makes_the_round_trip(tmp_path, page):
    async with visited(tmp_path, CHARSET) as (site, address):
        await page.goto(f"{address}/upload.jsp")
        await page.fill("[name=note]", "설명")
        await page.set_input_files(
            "[type=file]", {"name": "보고서.txt", "mimeType": "text/plain", "buffer": "글".encode()}
        )
        await page.click("[type=submit]")
        assert await page.locator("#note").inner_text() == "설명"
    contents, raw = site.uploads[0]
    assert contents == ["설명".encode("cp949"), "글".encode()]
    assert 'filename="보고서.txt"'.encode("cp949") in raw


async def test_fields_of_a_client_in_utf_8_are_mojibake_without_adc(tmp_path, page):
    """The screenshot of the documentation: `ADC_SCREENSHOT=docs/images/charsets.png pytest tests/browser`."""
    as_utf_8 = {"set": {"content-type": "text/html; charset=utf-8"}}
    async with visited(tmp_path, CHARSET) as (site, address):
        member = f"127.0.0.1:{site.server_port}"
        other = config(member, route={"response_headers": as_utf_8})
        (tmp_path / "plain").mkdir()
        async with serving(tmp_path / "plain", other) as plain:
            without = f"http://127.0.0.1:{plain.port}/board/list.jsp"
            await page.goto(without)
            assert POSTS[0][0] not in await page.locator("table").inner_text()
            await page.set_content(BESIDE.format(without=without, behind=f"{address}/list.jsp"))
            behind = page.frame_locator("iframe >> nth=1")
            assert POSTS[0][0] in await behind.locator("table").inner_text()
            if shot := os.environ.get("ADC_SCREENSHOT"):
                await page.screenshot(path=Path(shot))
