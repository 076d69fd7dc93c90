"""What several rules make of one element together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .program import Change
from .tags import escaped


class Edit:
    """The changes of all rules that select an element, in the encoding of the document. Attributes are escaped; None
    removes one."""

    __slots__ = ("after", "append", "attributes", "before", "content", "prepend", "removes", "unwraps")

    def __init__(self, changes: Sequence[Change], encoded: Callable[[str], bytes]) -> None:
        attributes = {name: value for change in changes for name, value in change.attributes}
        self.attributes = [
            (name, None if value is None else escaped(value)) for name, value in attributes.items()
        ]
        self.before = b"".join(encoded(change.before) for change in changes)
        self.prepend = b"".join(encoded(change.prepend) for change in reversed(changes))
        self.append = b"".join(encoded(change.append) for change in changes)
        self.after = b"".join(encoded(change.after) for change in reversed(changes))
        contents = [change.content for change in changes if change.content is not None]
        self.content = encoded(contents[-1]) if contents else None
        self.removes = any(change.remove for change in changes)
        self.unwraps = any(change.unwrap for change in changes)
