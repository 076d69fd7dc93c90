"""The logs of a worker over reloads."""

from __future__ import annotations

from pathlib import Path

import pytest

from adc.config import Config
from adc.config.loading import load
from adc.runtime.errors import BuildError
from adc.runtime.serve.logs import open_logs

BASE = "listeners: [{bind: '127.0.0.1:0'}]\nroutes: [{name: all, respond: {status: 204}}]\naccess_log: off\n"


def config_of(folder: Path, more: str) -> Config:
    file = folder / "adc.yaml"
    file.write_text(BASE + more)
    return load(file).config


def test_unchanged_settings_keep_the_logs_in_use(tmp_path: Path) -> None:
    config = config_of(tmp_path, "error_log: e.log\n")
    logs = open_logs(config, None)
    assert open_logs(config, logs) is logs


def test_changed_settings_open_new_logs(tmp_path: Path) -> None:
    logs = open_logs(config_of(tmp_path, "error_log: e.log\n"), None)
    assert open_logs(config_of(tmp_path, "error_log: {path: e.log, level: debug}\n"), logs) is not logs


def test_log_in_no_folder_is_a_build_error(tmp_path: Path) -> None:
    config = config_of(tmp_path, "error_log: none/e.log\n")
    with pytest.raises(BuildError, match=r"logs: .*none/e\.log"):
        open_logs(config, None)
