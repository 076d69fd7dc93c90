"""Import cycles, counted with the imports that only the type checker sees: a cycle is one design in several files."""

import ast
from pathlib import Path

import adc

ROOT = Path(adc.__file__).parent
MOST_CYCLES = 2
LARGEST_CYCLE = 3


def modules():
    """Return the path of each module by name."""
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = ("adc", *path.relative_to(ROOT).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name, path, known):
    """Return the modules that a file names, wherever the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & known or {node.module} & known
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & known
    return found - {name}


def cycles(graph):
    """Return the groups of modules that reach each other."""
    reached = {name: reach(graph, name) for name in graph}
    groups = {
        frozenset(other for other in reached[name] if name in reached[other]) | {name} for name in graph
    }
    return sorted((sorted(group) for group in groups if len(group) > 1), key=len)


def reach(graph, start):
    seen, waiting = set(), list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph[name]
    return seen


def test_import_cycles_are_few_and_small():
    found = modules()
    graph = {name: imports(name, path, found.keys()) for name, path in found.items()}
    assert len(graph) > 300
    circles = cycles(graph)
    assert len(circles) <= MOST_CYCLES, circles
    assert all(len(circle) <= LARGEST_CYCLE for circle in circles), circles


def test_a_cycle_is_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}
    assert cycles(graph) == [["b", "c"]]
