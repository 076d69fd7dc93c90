"""Docstrings of public functions open with a verb in the imperative; those of properties may name a thing."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]
NO_VERBS = {
    "A",
    "An",
    "The",
    "This",
    "It",
    "Whether",
    "How",
    "Raises",
    "Returns",
    "Yields",
    "Gets",
    "Entry",
    "Everything",
}


def functions(node):
    """Yield the public functions and methods below `node`, without those of private classes."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from functions(child)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
            yield child


def is_property(function):
    return any(ast.unparse(each).endswith("property") for each in function.decorator_list)


def test_docstrings_open_with_a_verb():
    count, wrong = 0, []
    for file in sorted([*(ROOT / "adc").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")]):
        for function in functions(ast.parse(file.read_text())):
            text = ast.get_docstring(function)
            if text and not is_property(function):
                count += 1
                if text.split()[0] in NO_VERBS:
                    wrong.append(f"{file.relative_to(ROOT)}:{function.lineno}: {text.splitlines()[0]}")
    assert count > 2000
    assert wrong == []
