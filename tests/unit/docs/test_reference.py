"""The generated reference says what the code does."""

import pytest

from adc.config import json_schema
from docs.generate import pages
from docs.plugin_options import bundled, options_schema


@pytest.mark.parametrize(("path", "page"), pages().items(), ids=[path.stem for path in pages()])
def test_the_page_is_up_to_date(path, page):
    assert path.read_text("utf-8") == page(), "run: make docs"


def keys():
    """Every key of the configuration: its part, its name, and True if it or the part it refers to is described."""
    schema = json_schema()
    definitions = schema["$defs"]
    for name, part in [("Configuration", schema), *definitions.items()]:
        for form in (part, *part.get("anyOf", ())):
            for key, value in form.get("properties", {}).items():
                referred = definitions.get(value.get("$ref", "").rpartition("/")[2], {})
                forms = (value, referred, *referred.get("anyOf", ()))
                yield name, key, any(form.get("description") for form in forms)


def test_every_option_is_described():
    found = list(keys())
    assert len(found) > 250
    assert [f"{part}.{key}" for part, key, described in found if not described] == []


@pytest.mark.parametrize(("name", "plugin"), bundled().items(), ids=list(bundled()))
def test_every_option_of_a_plugin_is_described(name, plugin):
    schema = options_schema(name, plugin)
    parts = [schema, *schema["$defs"].values()]
    options = [(key, value) for part in parts for key, value in part.get("properties", {}).items()]
    assert [key for key, value in options if not value.get("description")] == []
