"""A rule's list of variables: `ARGS|!ARGS:page|&REQUEST_HEADERS:Host|XML:/*`."""

from __future__ import annotations

from adc_plugins.waf.seclang.lines import quoted_end
from adc_plugins.waf.seclang.model import Place, SecLangError, Target
from adc_plugins.waf.seclang.names import KEYED, VARIABLES
from adc_plugins.waf.seclang.suggest import unknown

_SEPARATORS = "|,"


def parse_targets(text: str, place: Place) -> tuple[Target, ...]:
    """Return the targets of `text`; they are separated by `|` or `,`."""
    targets = tuple(_target(item, place) for item in _items(text, place))
    if not targets:
        raise SecLangError(place, "a rule needs a variable, such as ARGS")
    return targets


def _items(text: str, place: Place) -> list[str]:
    items = []
    start = position = 0
    while position < len(text):
        character = text[position]
        if character in _SEPARATORS:
            items.append(text[start:position])
            start = position + 1
        elif character == ":" and ":" not in text[start:position]:
            position = _key_end(text, start, position + 1, place)
            continue
        position += 1
    items.append(text[start:])
    return [item.strip() for item in items if item.strip()]


def _key_end(text: str, start: int, key: int, place: Place) -> int:
    """Return the index behind the key at `key`, if it is quoted or an expression; `key` itself otherwise."""
    quote = text[key : key + 1]
    if quote != "'" and (quote != "/" or text[start:key].strip(" !&").upper() == "XML:"):
        return key
    end = quoted_end(text, key)
    while quote == "/" and end >= 0 and text[end + 1 : end + 2].strip() not in ("", *_SEPARATORS):
        end = text.find("/", end + 1)
    if end < 0:
        raise SecLangError(place, f"the key {text[key : key + 20]!r} is not closed by {quote}")
    return end + 1


def _target(item: str, place: Place) -> Target:
    excluded = item.startswith("!")
    count = item.startswith("&")
    name, colon, key = item.lstrip("!&").strip().partition(":")
    variable = name.upper()
    if variable not in VARIABLES:
        raise SecLangError(place, unknown("variable", name, VARIABLES))
    if not colon:
        return Target(variable, count=count, excluded=excluded)
    if variable not in KEYED:
        raise SecLangError(place, f'the variable {variable} has no keys, so "{item}" selects nothing')
    if key.startswith("'") and key.endswith("'") and len(key) > 1:
        key = key[1:-1].replace("\\'", "'")
    if not key:
        raise SecLangError(place, f'"{item}" has an empty key; write {variable} for all keys')
    if variable == "XML":
        return Target(variable, key, count=count, excluded=excluded)
    if key.startswith("/") and key.endswith("/") and len(key) > 1:
        return Target(variable, key[1:-1], pattern=True, count=count, excluded=excluded)
    return Target(variable, key.lower(), count=count, excluded=excluded)
