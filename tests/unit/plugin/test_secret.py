"""The option type for secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from adc.plugin import Options, Plugin, Secret
from adc.plugin.testkit import OptionErrors, Trial


class KeyOptions(Options):
    key: Secret


class Keyed(Plugin[KeyOptions]):
    pass


def test_secret_is_revealed_only_on_request() -> None:
    options = Trial(Keyed, {"key": "s3cret"}).plugin.options
    assert options.key.reveal() == "s3cret"
    assert "s3cret" not in f"{options!r}{options.key!s}{options.model_dump_json()}"


def test_secret_is_read_from_a_file_of_the_configurations_folder(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    assert Trial(Keyed, {"key": {"file": "key"}}, folder=tmp_path).plugin.options.key.reveal() == "s3cret"


@pytest.mark.parametrize("value", ["", None, 5, ["s3cret"], {"file": "none"}, {"path": "s3cret"}])
def test_error_of_a_secret_does_not_show_it(value: object, tmp_path: Path) -> None:
    with pytest.raises(OptionErrors) as raised:
        Trial(Keyed, {"key": value}, folder=tmp_path)
    assert "s3cret" not in str(raised.value)


def test_empty_file_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\n")
    with pytest.raises(OptionErrors, match="is empty"):
        Trial(Keyed, {"key": {"file": "key"}}, folder=tmp_path)
