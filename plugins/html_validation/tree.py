"""The tree of a document, as the parser of the WHATWG standard builds it."""

from __future__ import annotations

from typing import Any

from justhtml import JustHTML
from justhtml.parser.context import FragmentContext

from .encoding import decoded, encoding_of
from .syntax.names import words

_FOREIGN_ATTRIBUTES = words(
    "xlink:actuate xlink:arcrole xlink:href xlink:role xlink:show xlink:title xlink:type xml:lang xml:space xmlns"
    " xmlns:xlink"
)


def parse(
    content: bytes | str,
    *,
    content_type: str = "text/html",
    scripting: bool = True,
    fragment: str | None = None,
) -> Any:
    """Return the root of the tree that a browser builds from `content`.

    Bytes are decoded as browsers do, by byte order mark, `content_type` or `meta` element. With `scripting`, the
    content of `noscript` is text. `fragment` names the element that the content is put into by `innerHTML`: `div`,
    `svg path`, `math mi`.
    """
    if isinstance(content, bytes):
        content = decoded(content, encoding_of(content, content_type.encode("latin-1", "replace")))
    context = None
    if fragment is not None:
        namespace, _, name = fragment.rpartition(" ")
        context = FragmentContext(name, namespace or None)
    return JustHTML(content, sanitize=False, scripting_enabled=scripting, fragment_context=context).root


def tree(
    content: bytes | str,
    *,
    content_type: str = "text/html",
    scripting: bool = True,
    fragment: str | None = None,
) -> str:
    """Parse like `parse`; return the tree in the format of html5lib-tests (`| <html>`, a line for each node)."""
    return dumped(parse(content, content_type=content_type, scripting=scripting, fragment=fragment))


def dumped(root: Any) -> str:
    """Return the tree below `root` in the format of html5lib-tests."""
    lines: list[str] = []
    waiting = [(node, 0) for node in reversed(root.children or ())]
    while waiting:
        node, depth = waiting.pop()
        if node is None:
            lines.append(f"| {' ' * depth}content")
            continue
        lines.append(f"| {' ' * depth}{_line(node)}")
        lines += [f"| {' ' * (depth + 2)}{each}" for each in _attributes(node)]
        waiting += [(each, depth + 2) for each in reversed(getattr(node, "children", None) or ())]
        content = getattr(node, "template_content", None)
        if content is not None:
            waiting += [(each, depth + 4) for each in reversed(content.children or ())]
            waiting.append((None, depth + 2))
    return "\n".join(lines)


def _line(node: Any) -> str:
    name, data = node.name, getattr(node, "data", None)
    if name == "#text":
        return f'"{data or ""}"'
    if name == "#comment":
        return f"<!-- {data or ''} -->"
    if name == "#processing-instruction":
        return f"<?{data or ''}?>"
    if name == "!doctype":
        return _doctype(data)
    return f"<{name}>" if node.namespace in (None, "html") else f"<{node.namespace} {name}>"


def _doctype(doctype: Any) -> str:
    if doctype.public_id is None and doctype.system_id is None:
        return f"<!DOCTYPE {doctype.name or ''}>"
    return f'<!DOCTYPE {doctype.name or ""} "{doctype.public_id or ""}" "{doctype.system_id or ""}">'


def _attributes(node: Any) -> list[str]:
    attributes = getattr(node, "attrs", None)
    if not attributes:
        return []
    foreign = node.namespace not in (None, "html")
    named = [
        (name.replace(":", " ") if foreign and name in _FOREIGN_ATTRIBUTES else name, value or "")
        for name, value in attributes.items()
    ]
    return [f'{name}="{value}"' for name, value in sorted(named)]
