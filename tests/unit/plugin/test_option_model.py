"""Options as a model."""

import pytest

from adc.plugin import ContentTypes, OptionErrors, Options, Plugin
from adc.plugin.options import make_use


class PageOptions(Options):
    most: int = 5
    """Maximum number of pages."""
    content_types: ContentTypes


class Pages(Plugin[PageOptions]):
    name = "pages"


def test_docstring_is_the_description():
    assert PageOptions.model_fields["most"].description == "Maximum number of pages."


def test_content_types_cover_parameters_ranges_and_suffixes():
    types = make_use(
        "pages", Pages, {"content_types": ["text/*", "application/*+json"]}
    ).plugin.options.content_types
    assert types.covers(b"Text/Plain; charset=utf-8")
    assert types.covers(b"application/problem+json")
    assert not types.covers(b"application/json")


def test_one_content_type_may_stand_without_a_list():
    assert make_use("pages", Pages, {"content_types": "image/png"}).plugin.options.content_types.types == (
        "image/png",
    )


@pytest.mark.parametrize("wrong", ["html", [], 5, ["text/html", "*/*"]])
def test_wrong_content_types_name_what_is_allowed(wrong):
    with pytest.raises(OptionErrors, match="media type"):
        make_use("pages", Pages, {"content_types": wrong})


def test_unknown_option_is_an_error():
    with pytest.raises(OptionErrors, match=r"unknown option; did you mean most\?"):
        make_use("pages", Pages, {"mots": 5, "content_types": "text/html"})
