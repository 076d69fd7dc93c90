"""Databases of expressions on disk."""

import stat

from adc_plugins.waf.engine import databases
from adc_plugins.waf.engine.databases import ExpressionSet
from adc_plugins.waf.expression import Expression

EXPRESSIONS = [Expression(b"evil"), Expression(b"^end$", caseless=True)]


def test_expressions_that_match_are_found():
    assert sorted(ExpressionSet(EXPRESSIONS).search(b"an evil\nEND")) == [0, 1]


def test_kept_database_is_used_again(tmp_path, monkeypatch):
    ExpressionSet(EXPRESSIONS, tmp_path / "cache")
    monkeypatch.setattr(databases, "_compiled", None)
    assert ExpressionSet(EXPRESSIONS, tmp_path / "cache").search(b"evil") == [0]


def test_damaged_database_is_compiled_again(tmp_path):
    ExpressionSet(EXPRESSIONS, tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-3] + b"abc")
    assert ExpressionSet(EXPRESSIONS, tmp_path).search(b"evil") == [0]
    assert file.read_bytes() == whole


def test_database_is_private(tmp_path):
    ExpressionSet(EXPRESSIONS, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_folder_that_cannot_be_written_keeps_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    assert ExpressionSet(EXPRESSIONS, tmp_path / "file" / "cache").search(b"evil") == [0]
