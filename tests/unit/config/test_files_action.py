"""The action `files`, error pages and their interception in the configuration."""

import pytest

from adc.config.errors import ConfigErrors
from adc.config.loading import load

BASE = "listeners: [{bind: '127.0.0.1:0'}]\n"


def loaded(tmp_path, text):
    file = tmp_path / "adc.yaml"
    file.write_text(BASE + text)
    return load(file).config


def problems(tmp_path, text):
    with pytest.raises(ConfigErrors) as error:
        loaded(tmp_path, text)
    return str(error.value)


def test_a_bare_string_is_the_root_and_relative_paths_start_at_the_file(tmp_path):
    (route,) = loaded(tmp_path, "routes: [{files: ./public}]\n").routes
    assert route.files.root == str(tmp_path / "public")
    assert route.files.index == ("index.html",)
    assert not route.files.listing


@pytest.mark.parametrize("name", ["../a.html", "a/../b.html", "/a.html", "a//b", "", "a/", "..", "a\\b"])
def test_fallback_lies_beneath_the_root(tmp_path, name):
    assert "is not the name of a file beneath root" in problems(
        tmp_path, f"routes: [{{files: {{root: a, fallback: '{name}'}}}}]\n"
    )


@pytest.mark.parametrize(
    "name",
    [
        "$uri",
        "$uri/",
        "$uri.html",
        "$uri/index.html",
        "/a$uri",
        "/a/b$uri-c/d/",
        "/index.html",
        "/a/b/",
        "=404",
        "=599",
    ],
)
def test_candidates_are_names_with_the_path_or_files_for_all_paths(tmp_path, name):
    (route,) = loaded(tmp_path, f"routes: [{{files: {{root: a, try: [$uri, '{name}']}}}}]\n").routes
    assert route.files.try_ == ("$uri", name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "index.html",
        "a$uri",
        "/a/$uri",
        "$uri$uri",
        "/../a",
        "$uri/../b",
        "/..",
        "/a//b",
        "=200",
        "=4040",
        "$x",
    ],
)
def test_candidates_lie_beneath_the_root(tmp_path, name):
    assert "is not a name beneath root, such as" in problems(
        tmp_path, f"routes: [{{files: {{root: a, try: [$uri, '{name}']}}}}]\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("try: [=404, $uri]", "files.try[0]: nothing after =404 is tried: a status ends the list"),
        ("try: =404", "files.try: has no name to try, such as $uri"),
        ("try: $uri, fallback: a.html", "files.fallback: has no effect with try; end the list with /a.html"),
    ],
)
def test_lists_of_candidates_that_contradict_themselves_are_refused(tmp_path, options, message):
    assert message in problems(tmp_path, f"routes: [{{files: {{root: a, {options}}}}}]\n")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("index", "a/b", "is not the name of a file"),
        ("precompressed", "deflate", "is not one of: br, zstd, gzip"),
        ("types", "{html: text}", "is not a media type"),
        ("charset", "'utf 8'", "is not a character set"),
        ("listing", "1", "is not one of: true, false"),
        ("cache", "1", "unknown key"),
    ],
)
def test_wrong_values_are_named(tmp_path, key, value, message):
    assert message in problems(tmp_path, f"routes: [{{files: {{root: a, {key}: {value}}}}}]\n")


def test_policies_that_need_a_member_have_no_effect_on_files(tmp_path):
    text = problems(tmp_path, "routes: [{files: a, rewrite: {strip_prefix: /a}, cache: true, mirror: p}]\n")
    assert "routes[0].mirror: mirror has no effect without pool or split" in text
    assert "rewrite" not in text


def test_error_pages_are_named_by_status_or_class(tmp_path):
    config = loaded(
        tmp_path, "error_pages: {404: a, 5xx: b}\nroutes: [{respond: 200, error_pages: {500: c}}]\n"
    )
    assert list(config.error_pages) == [404, "5xx"]
    assert list(config.routes[0].error_pages) == [500]
    for wrong in ("200", "6xx", "4x", "600", "true"):
        assert "is not a status from 400 to 599" in problems(tmp_path, f"error_pages: {{{wrong}: a}}\n")


def test_intercept_is_true_or_a_list_of_statuses_and_classes(tmp_path):
    text = "error_pages: {404: a}\nroutes: [{respond: 200, intercept: %s}]\n"
    for written, read in (("true", True), ("false", False), ("[404, 5xx]", (404, "5xx")), ("502", (502,))):
        assert loaded(tmp_path, text % written).routes[0].intercept == read
    assert "is not a status from 400 to 599" in problems(tmp_path, text % "[302]")
    assert "is not true, false, or a list" in problems(tmp_path, text % "[]")


def test_intercept_without_pages_is_refused(tmp_path):
    text = problems(tmp_path, "routes: [{respond: 200, intercept: true}]\n")
    assert "routes[0].intercept: has no effect without error_pages" in text
