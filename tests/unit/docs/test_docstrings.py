"""Docstrings of functions say what the function does; names of tests say rule and outcome."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import adc

ROOT = Path(adc.__file__).parent.parent
CLAUSES = re.compile(
    r"(Whether|How|What|Where|From where|Which|Who|Whom|Whose|Whoever|When|Why|Nobody|Nothing|Those|That|If)\b(?!-)"
)
"""Openings that make a clause of the sentence: "Whether it is due" is "True if it is due"."""

SUBJECTS = re.compile(r"(The|A|An|This|These|It|They|Its|There)\b|`")
"""Openings that name a thing, which suits a property: "The entries of a key" is "Return the entries of a key"."""

PEOPLE = re.compile(
    r"^ *(?:async )?def (test_(?:who|whoever|whom|whose|what|whatever|nobody|those)_\w*)", re.MULTILINE
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(*folders: str) -> Iterator[tuple[str, Function]]:
    """Yield place and definition of every function under `folders`."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            place = str(path.relative_to(ROOT))
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, Function):
                    yield f"{place}:{node.lineno}: {node.name}", node


def opens_badly(node: Function, text: str) -> bool:
    """True if `text` opens with a clause, or with a subject where `node` is no property."""
    is_property = any("property" in ast.unparse(each) for each in node.decorator_list)
    return bool(CLAUSES.match(text) or (not is_property and SUBJECTS.match(text)))


def test_docstring_of_a_function_opens_with_a_verb():
    opened = [
        f"{place}: {text.splitlines()[0]}"
        for place, node in functions("adc", "plugins")
        if (text := ast.get_docstring(node)) and opens_badly(node, text)
    ]
    assert not opened, "\n".join(opened)


def test_name_of_a_test_names_its_subject():
    named = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for name in PEOPLE.findall(path.read_text("utf-8"))
    ]
    assert not named, "\n".join(named)
