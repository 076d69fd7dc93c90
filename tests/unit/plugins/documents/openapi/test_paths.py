"""Which template a path belongs to."""

from __future__ import annotations

import pytest
from adc_plugins.documents.openapi.paths import PathIndex

TEMPLATES = [
    "/pets",
    "/pets/{id}",
    "/pets/mine",
    "/{kind}/{id}",
    "/files/{name}.{suffix}",
    "/a/{x}/c",
    "/{x}/b/c",
]
INDEX = PathIndex([(path, path) for path in TEMPLATES])


@pytest.mark.parametrize(
    ("path", "template", "values"),
    [
        ("/pets", "/pets", {}),
        ("/pets/mine", "/pets/mine", {}),
        ("/pets/7", "/pets/{id}", {"id": "7"}),
        ("/cats/7", "/{kind}/{id}", {"kind": "cats", "id": "7"}),
        ("/files/a.b.txt", "/files/{name}.{suffix}", {"name": "a", "suffix": "b.txt"}),
        ("/a/b/c", "/a/{x}/c", {"x": "b"}),
        ("/pets/a%2Fb", "/pets/{id}", {"id": "a%2Fb"}),
    ],
)
def test_path_finds_its_template(path: str, template: str, values: dict[str, str]) -> None:
    found = INDEX.find(path)
    assert found is not None
    assert (found.item, found.values) == (template, values)


@pytest.mark.parametrize("path", ["/", "", "/pets/", "/pets/7/toys", "/dogs", "//"])
def test_other_paths_find_nothing(path: str) -> None:
    assert INDEX.find(path) is None


def test_matching_takes_linear_time() -> None:
    index = PathIndex([("/" + "{a}-{b}-{c}-{d}-{e}x", "all")])
    assert index.find("/" + "-" * 20_000) is None
