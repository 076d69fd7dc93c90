"""Defaults of the model: unchecked, so that importing it builds no validator."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from adc.config import Config
from adc.config.model.base import Part


def parts(part: type[Part] = Part) -> Iterator[type[Part]]:
    """Yield every class of the model."""
    for derived in part.__subclasses__():
        yield derived
        yield from parts(derived)


DEFAULTS = [
    pytest.param(field.default, id=f"{part.__name__}.{name}")
    for part in parts()
    for name, field in part.model_fields.items()
    if isinstance(field.default, Part)
]


def test_there_are_defaults() -> None:
    assert len(DEFAULTS) > 20
    assert Config in set(parts())


@pytest.mark.parametrize("default", DEFAULTS)
def test_an_unchecked_default_is_what_a_checked_one_would_be(default: Part) -> None:
    written = {name: getattr(default, name) for name in default.model_fields_set}
    assert default == type(default).model_validate(written)


def test_importing_the_model_builds_no_validator() -> None:
    code = (
        "from adc.config.model.base import Part\n"
        "import adc.config.model.config\n"
        "print([part.__name__ for part in Part.__subclasses__() if part.__pydantic_complete__])"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout == "[]\n"
