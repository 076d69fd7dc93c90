"""The generated reference says what the code does."""

import pytest

from docs.generate import pages


@pytest.mark.parametrize(("path", "text"), pages().items(), ids=lambda value: getattr(value, "stem", ""))
def test_the_page_is_up_to_date(path, text):
    assert path.read_text("utf-8") == text, "run: make docs"
