"""The ASCII character that Windows shows for a character of Unicode that code page 20127 (US-ASCII) lacks."""

from __future__ import annotations

_NONE = "\x00"
_RUNS = {
    0x00A0: " !c\0$Y|\0\0Ca<\0-R\0\0\023\0\0\0.,1o>",
    0x00C0: "AAAAAAACEEEEIIIIDNOOOOO\0OUUUUY\0\0aaaaaaaceeeeiiii\0nooooo\0ouuuuy\0y",
    0x0100: "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi\0\0JjKk\0LlLlLl\0\0LlNnNnNn\0\0\0OoOoOo",
    0x0152: "OoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZ\0ZzZz\0b",
    0x0189: "D\0\0\0\0\0\0\0Ff\0\0\0\0I\0\0l\0\0\0\0OOo\0\0\0\0\0\0\0\0\0t\0\0TUu\0\0\0\0\0z",
    0x01CD: "AaIiOoUuUuUuUuUu\0Aa\0\0\0\0GgGgKkOoOo\0\0j",
    0x0261: "g",
    0x02B9: "'\"\0'\0\0\0\0\0\0\0^\0^\0'\0\0`\0_\0\0\0\0\0\0\0\0\0\0\0\0\0\0~",
    0x0300: '`\0^~\0\0\0\0\0\0\0\0\0\0"',
    0x0331: "__",
    0x2000: "       \0\0\0\0\0\0\0\0\0--\0--\0\0\0'',\0\"\"\"\0\0\0.\0\0\0.\0\0\0\0\0\0\0\0\0\0\0'\0\0`\0\0\0<>",
    0x2122: "T",
    0xFF01: "!\"#$%&'()*+,-./0123456789:;<=>\0@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~",
}

BEST_FIT = {
    start + offset: ord(character)
    for start, run in _RUNS.items()
    for offset, character in enumerate(run)
    if character != _NONE
}
"""Code point to byte."""
