"""Options as a model."""

import pytest

from adc.plugin import ContentTypes, NetworkList, OptionErrors, Options, Plugin
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


class AllowOptions(Options):
    allow: NetworkList


class Allows(Plugin[AllowOptions]):
    name = "allows"


def test_networks_contain_addresses_and_may_stand_without_a_list():
    allow = make_use("allows", Allows, {"allow": "10.0.0.0/8"}).plugin.options.allow
    assert (allow.contains("::ffff:10.1.2.3"), allow.contains("192.0.2.1")) == (True, False)
    assert allow.written == ("10.0.0.0/8",)


@pytest.mark.parametrize("wrong", [5, ["10.0.0.1/8"], ["x"], [5]])
def test_wrong_networks_are_errors(wrong):
    with pytest.raises(OptionErrors, match="allow: "):
        make_use("allows", Allows, {"allow": wrong})
