from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from adc.plugin import Duration, FilePath, NoOptions, Plugin, Size
from adc.plugin.options import OptionErrors, make_use, option_names


@dataclass(frozen=True)
class Options:
    rate: int
    wait: Duration = 1.0
    most: Size = 10
    names: list[str] = field(default_factory=list)


class Typed(Plugin[Options]):
    def __init__(self, options: Options) -> None:
        super().__init__(options)
        if options.rate > 100:
            raise ValueError("rate: at most 100")


class Rules(BaseModel):
    kind: str = Field("a", alias="type")


class Modelled(Plugin[Rules]):
    pass


def findings(plugin: type[Plugin[Any]], options: Any) -> dict[tuple[str | int, ...], str]:
    with pytest.raises(OptionErrors) as caught:
        make_use("p", plugin, options)
    return dict(caught.value.findings)


def test_options_reach_the_plugin_with_their_types() -> None:
    use = make_use("p", Typed, {"rate": 5, "wait": "500ms", "most": "2KB", "names": ["a"]})
    assert use.plugin.options == Options(5, 0.5, 2048, ["a"])


def test_a_model_is_as_good_as_a_dataclass() -> None:
    assert make_use("p", Modelled, {"type": "b"}).plugin.options.kind == "b"
    assert option_names(Modelled) == ["type"]


def test_common_options_are_not_passed_to_the_plugin() -> None:
    use = make_use("p", Typed, {"rate": 1, "on_error": "fail_open", "budget": "20ms", "timeout": "2s"})
    assert (use.policy.on_error, use.policy.budget, use.policy.timeout) == ("fail_open", 0.02, 2.0)


def test_plugins_fail_closed_unless_told_otherwise() -> None:
    assert make_use("p", Typed, {"rate": 1}).policy.on_error == "fail_closed"


def test_everything_wrong_is_told_at_once() -> None:
    found = findings(Typed, {"wait": "soon", "naems": [], "on_error": "x", "budget": 3})
    assert set(found) == {("rate",), ("wait",), ("naems",), ("on_error",), ("budget",)}
    assert "did you mean names?" in found["naems",]


def test_the_place_within_an_option_is_told() -> None:
    assert set(findings(Typed, {"rate": 1, "names": ["a", 2]})) == {("names", 1)}


def test_the_plugin_may_refuse_what_is_well_typed() -> None:
    assert findings(Typed, {"rate": 101}) == {(): "rate: at most 100"}


def test_options_that_are_no_mapping_are_refused() -> None:
    assert set(findings(Typed, [1])) == {()}


def test_a_plugin_that_breaks_while_it_is_made_is_an_error_of_the_configuration() -> None:
    class Broken(Plugin[NoOptions]):
        def __init__(self, options: NoOptions) -> None:
            raise KeyError("x")

    assert findings(Broken, {}) == {(): "KeyError: 'x'"}


def test_a_plugin_must_not_declare_what_every_plugin_has() -> None:
    @dataclass(frozen=True)
    class Greedy:
        timeout: int = 1

    class Clash(Plugin[Greedy]):
        pass

    assert "timeout" in findings(Clash, {})[()]


@dataclass(frozen=True)
class ListOptions:
    path: FilePath
    more: list[FilePath] = field(default_factory=list)


class Lists(Plugin[ListOptions]):
    """Reads files."""


def test_relative_path_starts_at_the_folder_of_the_configuration() -> None:
    options = make_use("l", Lists, {"path": "a.txt", "more": ["b/", "/c"]}, "/etc/adc").plugin.options
    assert options == ListOptions(Path("/etc/adc/a.txt"), [Path("/etc/adc/b"), Path("/c")])


@pytest.mark.parametrize("value", [5, "", None, ["a"]])
def test_value_that_is_no_path_is_rejected(value: object) -> None:
    with pytest.raises(OptionErrors, match="is not a path"):
        make_use("l", Lists, {"path": value})


def test_plugin_has_its_own_default_of_the_timeout() -> None:
    class Patient(Plugin[NoOptions]):
        default_timeout = 30.0

    assert make_use("patient", Patient, {}).policy.timeout == 30
    assert make_use("patient", Patient, {"timeout": "2s"}).policy.timeout == 2


def test_missing_option_is_named() -> None:
    assert findings(Typed, {}) == {("rate",): "the option rate is required"}


class Item(BaseModel):
    most: int = Field(1, ge=1)


class Choices(BaseModel):
    kind: Literal["one", "two"] = "one"
    share: float = Field(0.5, lt=1)
    items: list[str | Item] = []
    needed: str


class Bounded(Plugin[Choices]):
    pass


@pytest.mark.parametrize(
    ("options", "place", "message"),
    [
        ({"kind": "three"}, ("kind",), "'three' is not allowed; use 'one' or 'two'"),
        ({"share": 1.5}, ("share",), "1.5 is out of range; allowed: less than 1.0"),
        ({"items": [{"most": 0}]}, ("items", 0, "most"), "0 is out of range; allowed: 1 and more"),
        ({}, ("needed",), "the option needed is required"),
    ],
)
def test_error_has_the_place_the_value_and_what_is_allowed(options: Any, place: Any, message: str) -> None:
    assert findings(Bounded, options)[place] == message


@pytest.mark.parametrize(("key", "value"), [("most", -1), ("wait", -1.5), ("wait", float("inf"))])
def test_quantity_below_zero_or_without_end_is_rejected(key: str, value: object) -> None:
    assert findings(Typed, {"rate": 1, key: value}).keys() == {(key,)}
