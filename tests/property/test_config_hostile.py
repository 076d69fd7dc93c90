"""Whatever is in the file, loading ends in a configuration or in `ConfigErrors` with places in the file."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adc.config import ConfigErrors, Mark, Problem, load
from adc.config.model.config import Config

SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SAMPLE = (Path(__file__).parents[2] / "config" / "resilience.yaml").read_bytes()

BELOW = (
    "name bind match path host pool members persistence cookie respond redirect to status health active "
    "expect balance tls cache retries on split plugins request_headers set timeouts limits x"
)
KEYS = st.sampled_from([*Config.written_keys(), *BELOW.split()])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["127.0.0.1:80", "unix:/x", "1s", "1KB", "20%", "${A}", "$$", "(", "[[a", "/", "*.x", "{path}", "2xx"]
    )
)
TREES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=40,
)


def attempt(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "adc.yaml"
    file.write_bytes(data)
    for problem in problems_of(file):
        assert problem.mark.file == str(file)
        assert 1 <= problem.mark.line <= len(data) + 1
        assert problem.mark.column >= 1
        assert "\n" not in str(problem)


def problems_of(file: Path) -> tuple[Problem, ...]:
    try:
        load(file, {"A": "x"})
    except ConfigErrors as errors:
        return errors.problems or (Problem(Mark("", 0, 0), (), "refused without a reason"),)
    return ()


@given(st.binary(max_size=200))
@SETTINGS
def test_bytes(tmp_path: Path, data: bytes) -> None:
    attempt(tmp_path, data)


@given(st.text(alphabet=st.sampled_from("ab:{}[]-&*!|>'\"%@#? \n\t,0.$~<"), max_size=80))
@SETTINGS
def test_text_full_of_yaml_signs(tmp_path: Path, text: str) -> None:
    attempt(tmp_path, text.encode())


@given(st.dictionaries(KEYS, TREES, max_size=8))
@SETTINGS
def test_trees_of_known_keys_and_wrong_values(tmp_path: Path, tree: dict[str, Any]) -> None:
    attempt(tmp_path, yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "replace"))


@given(st.integers(0, len(SAMPLE) - 1), st.integers(0, 12), st.binary(max_size=4))
@SETTINGS
def test_damaged_files(tmp_path: Path, at: int, length: int, put: bytes) -> None:
    attempt(tmp_path, SAMPLE[:at] + put + SAMPLE[at + length :])


@pytest.mark.parametrize("key", sorted(set(Config.written_keys())))
@pytest.mark.parametrize("value", ["", "x", "-1", "[]", "{}", "[[]]", "{x: {}}", "true", "1e9", "['']"])
def test_every_key_takes_any_kind_of_value_without_a_traceback(tmp_path: Path, key: str, value: str) -> None:
    rest = "" if key == "listeners" else "listeners: [{bind: ':1'}]\n"
    attempt(tmp_path, f"{key}: {value}\n{rest}".encode())
