"""Trees to text, by the serialisation of the HTML standard."""

from __future__ import annotations

from typing import Any

from .syntax.names import VOID, words

_RAW = words("style script xmp iframe noembed noframes plaintext")
_LINE_BREAK_DROPPED = frozenset(("pre", "textarea", "listing"))
_IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\xa0": "&nbsp;"})
_IN_ATTRIBUTE = _IN_TEXT | str.maketrans({'"': "&quot;"})
# A parser reads a carriage return as a line feed, unless it comes as a reference.
_IN_TEXT[ord("\r")] = _IN_ATTRIBUTE[ord("\r")] = "&#13;"


def serialised(root: Any, *, scripting: bool = True) -> str:
    """Return the text of the tree below `root`. With `scripting`, the content of `noscript` is raw text."""
    raw = _RAW | {"noscript"} if scripting else _RAW
    parts: list[str] = []
    waiting: list[Any] = list(reversed(root.children or ()))
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            parts.append(node)
        elif node.name.startswith(("#", "!")):
            parts.append(_text(node, raw))
        else:
            parts.append(_start(node))
            if not (_is_html(node) and node.name in VOID):
                waiting.append(f"</{node.name}>")
                content = getattr(node, "template_content", None)
                waiting += reversed((node if content is None else content).children or ())
    return "".join(parts)


def _is_html(node: Any) -> bool:
    return node.namespace in (None, "html")


def _start(node: Any) -> str:
    attributes = "".join(
        f' {name}="{(value or "").translate(_IN_ATTRIBUTE)}"' for name, value in (node.attrs or {}).items()
    )
    tag = f"<{node.name}{attributes}>"
    if node.name in _LINE_BREAK_DROPPED and _is_html(node) and node.children:
        first = node.children[0]
        if first.name == "#text" and (first.data or "").startswith("\n"):
            return tag + "\n"
    return tag


def _text(node: Any, raw: frozenset[str]) -> str:
    data = node.data or ""
    if node.name == "#text":
        parent = node.parent
        if parent is not None and parent.name in raw and _is_html(parent):
            return str(data)
        return str(data.translate(_IN_TEXT))
    if node.name == "#comment":
        return f"<!--{data}-->"
    if node.name == "#processing-instruction":
        return f"<?{data}>"
    return _doctype(node.data)


def _doctype(doctype: Any) -> str:
    if doctype.public_id is not None:
        system = "" if doctype.system_id is None else f" {_quoted(doctype.system_id)}"
        return f"<!DOCTYPE {doctype.name or ''} PUBLIC {_quoted(doctype.public_id)}{system}>"
    system = "" if doctype.system_id is None else f" SYSTEM {_quoted(doctype.system_id)}"
    return f"<!DOCTYPE {doctype.name or ''}{system}>"


def _quoted(identifier: str) -> str:
    return f"'{identifier}'" if '"' in identifier else f'"{identifier}"'
