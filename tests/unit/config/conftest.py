from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from adc.config import ConfigErrors, Loaded, load

LISTENERS = "listeners: [{name: web, bind: 127.0.0.1:8080}]\n"

Load = Callable[..., Loaded]
Refused = Callable[..., list[str]]


@pytest.fixture
def loaded(tmp_path: Path) -> Load:
    """Loads a text that needs no listeners of its own."""

    def read(text: str, env: Mapping[str, str] | None = None, *, listeners: str = LISTENERS) -> Loaded:
        file = tmp_path / "adc.yaml"
        file.write_text(text + listeners)
        return load(file, env or {})

    return read


@pytest.fixture
def refused(tmp_path: Path, loaded: Load) -> Refused:
    """Lines that tell what is wrong with a text, without the name of the file."""

    def read(text: str, env: Mapping[str, str] | None = None, *, listeners: str = LISTENERS) -> list[str]:
        with pytest.raises(ConfigErrors) as caught:
            loaded(text, env, listeners=listeners)
        return [line.removeprefix(f"{tmp_path / 'adc.yaml'}:") for line in str(caught.value).splitlines()]

    return read
