"""No candidate leads out of the root, whatever the path: its segments are names."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from adc.config.model.files import Tried
from adc.files.candidates import candidates
from adc.files.names import file_name

WRITTEN = TypeAdapter(Tried)
TEXTS = st.lists(
    st.sampled_from(["/", "$uri", "a", ".", "..", ".html", "%2e", "=404", "\\", "b c", "é"]),
    min_size=1,
    max_size=6,
).map("".join)
PATHS = st.lists(
    st.sampled_from(["/", "a", "b", ".", "..", "%2e", "%2f", "%5c", ".html", "%00"]), max_size=8
).map(lambda parts: "/" + "".join(parts))
NAMES = re.compile(rb"(?:(?!\.\.?(?:/|\Z))[^/\\\0]+(?:/|\Z))*", re.DOTALL)


@settings(max_examples=300, deadline=None)
@given(TEXTS, PATHS)
def test_every_candidate_is_a_name_beneath_the_root(text, path):
    try:
        WRITTEN.validate_python(text)
    except ValidationError:
        return
    name = file_name(path)
    for candidate in candidates([text]).tried:
        within = candidate.name(name or b"", path.endswith("/"))
        if name is not None and within is not None:
            assert NAMES.fullmatch(within), within
            assert not within.startswith(b"/")
