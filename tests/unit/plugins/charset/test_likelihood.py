from __future__ import annotations

import pytest
from adc_plugins.charset.likelihood import likeliest

WORDS = {
    (
        "euc-kr",
        "cp949",
    ): "게시판|안녕|한글 문서|로그인|검색|목록 글쓰기|환영합니다|공지사항|홍길동님 안녕하세요|펲시콜라를 마셨다",
    ("shift_jis", "cp932"): "こんにちは|表示|検索|日本語|新着情報一覧|お知らせ|東京都千代田区",
    ("euc-jp", "euc_jp"): "こんにちは|日本語です|検索する|新着情報一覧へ|お知らせ",
    ("gb18030", "gbk"): "中文网站|欢迎光临|首页 产品 关于我们",
    ("big5", "big5"): "首頁 產品 關於我們|最新消息|歡迎來到論壇，請先登入後再發表文章",
    ("", "koi8-r"): "привет|Новости|вход|Добро пожаловать|Регистрация",
    ("", "cp1251"): "привет|Новости|вход|Добро пожаловать|Регистрация",
    ("", "cp1252"): "café|déjà vu|naïve|Grüße|España|Müller & Söhne, Straße|“quoted”|£5 – ok|année été",
    ("", "cp1250"): "Příliš žluťoučký kůň|Łódź",
    ("", "cp1253"): "Καλώς ήρθατε|Αναζήτηση",
    ("", "cp1255"): "שלום עולם",
    ("", "cp1256"): "مرحبا بالعالم",
    ("", "cp874"): "ยินดีต้อนรับ|ค้นหา",
}


@pytest.mark.parametrize(("name", "codec"), WORDS)
def test_few_letters_tell_the_charset(name: str, codec: str) -> None:
    words = WORDS[name, codec].split("|")
    assert {word: likeliest(word.encode(codec)) for word in words} == dict.fromkeys(words, name)


def test_text_with_cut_character_at_its_end_is_told() -> None:
    assert likeliest(("안녕하세요. " * 200).encode("cp949")[:1023] + b"\xb0\xa1") == "euc-kr"
