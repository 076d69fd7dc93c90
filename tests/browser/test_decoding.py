"""Every character of the charsets of several bytes, and of single ones, as Chromium decodes it."""

import json

import pytest
from adc_plugins.charset.charsets import find
from adc_plugins.charset.transcoder import Decoder

pytestmark = pytest.mark.asyncio(loop_scope="module")

SINGLE = (
    "ibm866 iso-8859-2 iso-8859-3 iso-8859-4 iso-8859-5 iso-8859-6 iso-8859-7 iso-8859-8 iso-8859-8-i iso-8859-10 "
    "iso-8859-13 iso-8859-14 iso-8859-15 iso-8859-16 koi8-r koi8-u macintosh windows-874 windows-1250 windows-1251 "
    "windows-1252 windows-1253 windows-1254 windows-1255 windows-1256 windows-1257 windows-1258 x-mac-cyrillic"
)
LONG = "euc-kr shift_jis euc-jp gbk gb18030 big5"
LOOKALIKES = {"big5": {b"\xa2\x41", b"\xa2\x42", b"\x88\x62", b"\x88\x64", b"\x88\xa3", b"\x88\xa5"}}
"""A slash and a backslash that Python does not tell from others, and letters with two accents, of two characters."""
TABLE = """([label, before, after]) => {
  const found = [];
  const decode = bytes => {  // a decoder of ISO 2022 keeps state even if it is told not to: each call has its own
    try { return new TextDecoder(label, {fatal: true}).decode(new Uint8Array(bytes)) } catch { return null } };
  const first = before.length ? 0x21 : 0x80;
  for (let lead = first; lead < 256; lead++) {
    const single = before.length ? null : decode([lead]);
    if (single !== null) { found.push([[lead], single]); continue; }
    for (let trail = 0x21; trail < 256; trail++) {
      const text = decode([...before, lead, trail, ...after]);
      if (text !== null) found.push([[lead, trail], text]);
    }
  }
  return JSON.stringify(found); }"""


async def table_of(page, label: str, before: bytes = b"", after: bytes = b"") -> list[tuple[list[int], str]]:
    """Return bytes and text of every character, as one string: playwright takes nested lists apart item by item."""
    return json.loads(await page.evaluate(TABLE, [label, list(before), list(after)]))


def ours(label: str, data: bytes) -> str:
    charset = find(label)
    assert charset is not None
    return Decoder(charset, "replace").decode(data, True)


async def test_every_character_is_that_of_the_browser(page):
    for label in f"{SINGLE} {LONG}".split():
        table = await table_of(page, label)
        assert len(table) >= (5000 if label in LONG else 60), label
        different = {bytes(data) for data, text in table if ours(label, bytes(data)) != text}
        assert different == LOOKALIKES.get(label, set()), label


async def test_every_character_of_iso_2022_jp_is_that_of_the_browser(page):
    before, after = b"\x1b$B", b"\x1b(B"
    table = await table_of(page, "iso-2022-jp", before, after)
    assert len(table) > 7000
    assert [data for data, text in table if ours("iso-2022-jp", before + bytes(data) + after) != text] == []
